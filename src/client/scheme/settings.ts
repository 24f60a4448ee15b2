import { TOTPError } from '../../core/errors.js'
import { profileFromVariables } from '../../core/profile-variables.js'
import { parseProfile, parseReplay, type ReplayPolicy, type TOTPProfile } from '../../core/profile.js'
import { usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { Seed } from '../../core/seed.js'
import type { ClientAuthScheme, ClientRequest } from './client-auth-scheme.js'
import { variable } from './environment.js'
import type { TOTPClientAuthSchemeOptions } from './options.js'
import { proofSettings } from './proof-settings.js'
import { isUnsignable, RequestSigner, type Signable, type SignMode } from './request-signer.js'
import { sleep, StepQueue, type Clock } from './step-queue.js'

/** The options of a scheme, checked. All of them are replaced at once where the credentials change. */
export interface SchemeSettings {
  readonly delegate: ClientAuthScheme
  readonly seed: Seed
  readonly profile: TOTPProfile
  readonly replay: ReplayPolicy
  readonly agent: string | undefined
  readonly signed: SignedPolicy | undefined
  readonly sign: SignMode
  readonly signer: RequestSigner | undefined
  /** Under `once`. */
  readonly steps: StepQueue | undefined
}

/**
 * @param before the settings that these replace: a seed that stays keeps its queue, so that no step is used twice
 * @throws {TOTPError} see `TOTPClientAuthScheme`
 */
export function schemeSettings(
  options: TOTPClientAuthSchemeOptions,
  now: Clock['now'],
  before?: SchemeSettings,
): SchemeSettings {
  const given = options.seed ?? variable('A2A_TOTP_SEED')
  if (given === undefined || given === '') {
    throw new TOTPError('ERR_SEED_MISSING', 'no seed; pass one in base32, or set A2A_TOTP_SEED')
  }
  if (!isScheme(options.delegate)) {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'no delegate for the first factor; pass a BearerTokenAuth, or any object with headers(request)',
    )
  }
  const fromEnvironment = options.seed === undefined
  const inherited = fromEnvironment ? profileFromVariables(process.env) : {}
  const profile = parseProfile({ ...inherited, ...options.profile })
  const seed = typeof given === 'string' ? Seed.fromBase32(given) : given
  const replay = parseReplay(options.replay ?? 'reuse')
  const { agent, signed, sign } = proofSettings(options, fromEnvironment)
  const windowKnown = (options.profile?.window ?? inherited.window) !== undefined
  const signs = agent !== undefined && sign !== 'never'
  return {
    ...{ delegate: options.delegate, seed, profile, replay, agent, signed, sign },
    signer: signs ? new RequestSigner(seed, agent, profile, windowKnown) : undefined,
    steps:
      replay === 'once' ? (keptQueue(seed, profile, before) ?? stepQueue(profile, now, options)) : undefined,
  }
}

function keptQueue(
  seed: Seed,
  profile: TOTPProfile,
  before: SchemeSettings | undefined,
): StepQueue | undefined {
  const isSame = before?.seed.base32 === seed.base32 && before.profile.period === profile.period
  return isSame ? before.steps : undefined
}

function stepQueue(
  profile: TOTPProfile,
  now: Clock['now'],
  {
    maxWaitMs = (profile.period + 1) * 1000,
    maxQueued = Infinity,
    onWait,
    ...given
  }: TOTPClientAuthSchemeOptions,
): StepQueue {
  if (!(maxWaitMs >= 0)) throw new TOTPError('ERR_CONFIG_INVALID', 'maxWaitMs must be 0 or more')
  if (!(maxQueued >= 0)) throw new TOTPError('ERR_CONFIG_INVALID', 'maxQueued must be 0 or more')
  return new StepQueue({
    profile,
    maxWaitMs,
    maxQueued,
    now,
    sleep: given.sleep ?? sleep,
    onWait: onWait ?? (() => undefined),
  })
}

/** Callers in plain JavaScript may omit it. */
function isScheme(delegate: ClientAuthScheme | undefined): boolean {
  return typeof delegate?.headers === 'function'
}

/** What can be signed of a request; undefined if it is sent unsigned. */
export async function signableOf(
  { signer, sign }: SchemeSettings,
  request: ClientRequest,
  credentials: Readonly<Record<string, string>>,
): Promise<Signable | undefined> {
  try {
    return await signer?.prepare(request, credentials)
  } catch (error) {
    if (sign === 'auto' && isUnsignable(error)) return undefined
    throw error
  }
}

/** An agent that does not know proofs, or only observes them, counts the codes of signed requests as any others. */
export function sharesSteps({ signed }: SchemeSettings): boolean {
  return signed !== undefined && usesProofs(signed)
}
