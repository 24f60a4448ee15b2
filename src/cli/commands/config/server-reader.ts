import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { minimumSeedBits } from '../../../core/seed.js'
import { listSome } from '../../../core/text.js'
import type { TOTPServerAuthSchemeOptions } from '../../../server/scheme/options.js'
import { makeConfig } from '../../../server/scheme/config.js'
import { schemeOptions } from '../../../server/scheme/from-file.js'

/** The output of `config server --format maps`. */
interface Maps {
  readonly peer_seeds?: Readonly<Record<string, string>>
  readonly shared_seed?: string
  readonly token_to_peer: Readonly<Record<string, string>>
}

/**
 * Reads a server file, or maps, as the agent will: with the library's own parser, rules and defaults.
 *
 * @returns a warning if only an agent that allows weak seeds accepts the document
 * @throws {TOTPError} `ERR_CONFIG_INVALID` if the agent would refuse the document
 */
export function readAsAgent(document: object, allowWeakSeeds: boolean): string | undefined {
  const refusal = refusalOf(document, allowWeakSeeds)
  if (!refusal) return allowWeakSeeds ? warningOf(document) : undefined
  if (refusal.code !== 'ERR_SEED_WEAK') throw refused(refusal.message)
  const { subject, choice } = weakSeedsIn(document)
  throw refused(
    `${subject} less than ${minimumSeedBits} bits; run \`a2a-totp rotate ${choice} --seed --now\`, ` +
      'or pass --allow-weak-seed if the agent allows weak seeds',
  )
}

/** A running agent keeps its old file, so the error says what that means. */
export function refused(reason: string): TOTPError {
  return new TOTPError(
    'ERR_CONFIG_INVALID',
    `the agent would refuse this, so nothing was written: ${reason}. ` +
      'Until it gets a new file the agent keeps its old one, where revoked credentials are still valid',
  )
}

function warningOf(document: object): string | undefined {
  if (refusalOf(document, false)?.code !== 'ERR_SEED_WEAK') return undefined
  return (
    `${weakSeedsIn(document).subject} less than ${minimumSeedBits} bits: the agent refuses this ` +
    'unless it runs with `allowWeakSeeds: true` (Python: `allow_weak_seeds=True`)'
  )
}

function refusalOf(document: object, allowWeakSeeds: boolean): TOTPError | undefined {
  try {
    makeConfig(optionsOf(document, allowWeakSeeds), { supports: { once: true, proofs: true } })
    return undefined
  } catch (error) {
    if (isTOTPError(error)) return error
    throw error
  }
}

function optionsOf(document: object, allowWeakSeeds: boolean): TOTPServerAuthSchemeOptions {
  if (!isMaps(document)) return schemeOptions(JSON.stringify(document), { allowWeakSeeds })
  const { peer_seeds: peerSeeds = {}, shared_seed: sharedSeed, token_to_peer: tokenToPeer } = document
  const common = { tokenToPeer, replay: 'reuse', allowWeakSeeds } as const
  return sharedSeed === undefined ? { ...common, peerSeeds } : { ...common, sharedSeed }
}

/** Arguments that a command in an error has at most. */
const mostNames = 10

/** The peers with weak seeds, as the subject of a sentence and as arguments of `rotate`. */
function weakSeedsIn(document: object): { subject: string; choice: string } {
  const seeds = isMaps(document) ? document.peer_seeds : (document as { peers?: object }).peers
  const names = Object.entries(seeds ?? {}).flatMap(([name, value]) =>
    refusalOf(withOnly(document, { [name]: value as unknown }), false)?.code === 'ERR_SEED_WEAK' ? name : [],
  )
  if (names.length === 0 || refusalOf(withOnly(document, {}), false)?.code === 'ERR_SEED_WEAK')
    return { subject: 'the shared seed has', choice: '--all' }
  return {
    subject: names.length === 1 ? `the seed of ${names.join()} has` : `the seeds of ${listSome(names)} have`,
    choice: names.length > mostNames ? 'NAME...' : names.join(' '),
  }
}

/** The document with other peers; the rest stays. */
function withOnly(document: object, peers: object): object {
  return isMaps(document) ? { ...document, peer_seeds: peers, token_to_peer: {} } : { ...document, peers }
}

function isMaps(document: object): document is Maps {
  return 'token_to_peer' in document
}
