import { TOTPError } from './errors.js'
import { isName, quoteName } from './name.js'
import { didYouMean } from './nearest.js'
import type { Roster } from './roster.js'

/**
 * The error for names that no peer and no canary of a roster has: it names all of them, and asks for the near names of
 * this roster, if there are any.
 */
export function unknownPeers(
  { peers, canaries }: Pick<Roster, 'peers' | 'canaries'>,
  names: readonly string[],
): TOTPError {
  const quoted = names.map(quoteName)
  const [only = ''] = names
  const repeatable = names.length === 1 && isName(only) && quoted[0]?.startsWith('"')
  const remedy = `run \`a2a-totp add-peer ${repeatable ? only : 'NAME'}\` first`
  const what = names.length === 1 ? 'no peer' : 'no peers'
  const next = didYouMean(names, [...peers.keys(), ...(canaries?.keys() ?? [])]) ?? remedy
  return new TOTPError('ERR_PEER_UNKNOWN', `${what} named ${quoted.join(', ')}; ${next}`)
}
