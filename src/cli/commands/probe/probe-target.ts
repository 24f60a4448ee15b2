import { TOTPError } from '../../../core/errors.js'
import { requireKnown } from '../../../core/live-credentials.js'
import { isName } from '../../../core/name.js'
import { peerNamed } from '../../../core/provision.js'
import { newestLive, type Roster } from '../../../core/roster.js'
import type { CliContext } from '../../context.js'

/** Where to probe, and as whom; without a name the credentials are those of the environment. */
export interface ProbeTarget {
  readonly url: string
  readonly name?: string
}

interface Given {
  /** The arguments of the command line. */
  readonly first?: string | undefined
  readonly second?: string | undefined
  /** Whether the environment has credentials, under their usual names or others. */
  readonly fromEnvironment: boolean
  /** The variable with a token to use instead of the store's. */
  readonly tokenEnv?: string | undefined
}

/**
 * Finds out what the arguments mean. One alone is the URL if it contains `://`, else a peer, and the URL is the store's.
 * Without any, credentials of the environment go to `$A2A_TOTP_URL` or to the store's URL, else the store's only peer is
 * taken.
 *
 * @throws {TOTPError} `ERR_USAGE` if that leaves the URL or the peer open; `ERR_PEER_UNKNOWN` and `ERR_TOKEN_UNKNOWN` for
 *   a peer that could not be probed with any URL
 */
export async function targetOf(
  context: CliContext,
  { first, second, fromEnvironment, tokenEnv }: Given,
): Promise<ProbeTarget> {
  if (second !== undefined) return { url: urlBefore(second, first ?? ''), name: second }
  if (first?.includes('://')) return { url: first }
  if (first !== undefined) {
    if (!isName(first)) {
      throw new TOTPError(
        'ERR_USAGE',
        'the argument is neither a URL nor a peer; a URL starts with http:// or https://',
      )
    }
    const check = (roster: Roster): void => requireSendable(context, roster, first, tokenEnv)
    return { url: await storedUrl(context, check), name: first }
  }
  const { A2A_TOTP_URL: known = '' } = context.env
  if (fromEnvironment) return { url: known === '' ? await storedUrl(context) : known }
  return { url: await storedUrl(context), name: await onlyPeer(context) }
}

/** The first of two arguments. */
function urlBefore(second: string, first: string): string {
  if (first.includes('://') || /^https?:/i.test(first)) return first
  throw new TOTPError(
    'ERR_USAGE',
    second.includes('://')
      ? 'the URL comes first, then the peer: a2a-totp probe URL NAME'
      : 'the first of two arguments is the URL, which starts with http:// or https://',
  )
}

async function storedUrl({ store }: CliContext, check?: (roster: Roster) => void): Promise<string> {
  if (store.isMissing()) throw new TOTPError('ERR_USAGE', 'missing the URL of the agent; give it first')
  const roster = await store.read()
  if (roster.url !== undefined) return roster.url
  check?.(roster)
  throw new TOTPError(
    'ERR_USAGE',
    'the store has no URL of the agent; pass it, or run `a2a-totp set --url URL` once',
  )
}

/** A store that was built again from a server file knows no URL, and of tokens only their hashes: the URL is the lesser lack. */
function requireSendable({ now }: CliContext, roster: Roster, name: string, tokenEnv?: string): void {
  const newest = newestLive(peerNamed(roster, name).tokens, now())
  if (newest && tokenEnv === undefined) requireKnown(newest.token, name)
}

async function onlyPeer({ store }: CliContext): Promise<string> {
  const { peers } = await store.read()
  const [only, ...others] = peers.keys()
  if (only !== undefined && others.length === 0) return only
  throw new TOTPError(
    'ERR_USAGE',
    only === undefined
      ? 'the store has no peers yet; run `a2a-totp add-peer NAME` first'
      : `the store has ${peers.size} peers; pass NAME`,
  )
}
