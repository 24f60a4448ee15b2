import { TOTPError } from '../../core/errors.js'

interface CheckInfo {
  /** `cell`: once for each binding × protocol version; `run`: once. */
  readonly scope: 'run' | 'cell'
  /** What it proves, in one line. */
  readonly proves: string
  /** What a correct agent does. */
  readonly expects: string
  /** Other checks whose requests it judges. */
  readonly needs?: readonly string[]
  /** Made only when asked for: it spends more guesses than a run has. */
  readonly optIn?: true
}

/** Every check, in the order of the report. The ids are public: scripts name them. */
export const checks = {
  reach: { scope: 'run', proves: 'the agent answers', expects: 'an answer' },
  tls: { scope: 'run', proves: 'credentials travel encrypted', expects: 'https, or http on loopback' },
  'card.fetch': { scope: 'run', proves: 'the agent card is served', expects: 'a card with its interfaces' },
  'card.bearer': { scope: 'run', proves: 'the card declares bearer', expects: 'an HTTP bearer scheme' },
  'card.totp': {
    scope: 'run',
    proves: 'the card declares the code',
    expects: 'an apiKey scheme in the header',
  },
  'card.and': {
    scope: 'run',
    proves: 'the card demands both, with no way round',
    expects: 'bearer AND the header in every requirement',
  },
  coverage: {
    scope: 'run',
    proves: 'each interface that the card names was tested',
    expects: 'right credentials let in by each',
  },
  clock: {
    scope: 'run',
    proves: "the agent's clock agrees with this one",
    expects: 'a Date within the window',
    needs: ['auth.none'],
  },
  window: {
    scope: 'run',
    proves: 'few time steps are accepted',
    expects: 'at most 2 steps either side',
    needs: ['auth.none', 'auth.valid'],
    optIn: true,
  },
  throttle: {
    scope: 'run',
    proves: 'wrong codes are slowed down',
    expects: '429, a lock or a wait',
    needs: ['auth.none', 'auth.valid'],
    optIn: true,
  },
  'auth.none': { scope: 'cell', proves: 'no credentials, no entry', expects: 'refused' },
  'auth.bearer-only': { scope: 'cell', proves: 'a stolen token alone is not enough', expects: 'refused' },
  'auth.totp-only': { scope: 'cell', proves: 'a code alone is not enough', expects: 'refused' },
  'auth.wrong-code': { scope: 'cell', proves: 'the value of the code is checked', expects: 'refused' },
  'auth.expired-code': { scope: 'cell', proves: 'an old code is worth nothing', expects: 'refused' },
  'auth.future-code': { scope: 'cell', proves: 'a code of the future is worth nothing', expects: 'refused' },
  'auth.cross-peer': {
    scope: 'cell',
    proves: "a peer's code goes with its own token only",
    expects: 'refused',
  },
  'auth.malformed-code': { scope: 'cell', proves: 'only ASCII digits are a code', expects: 'refused' },
  'auth.duplicate-header': {
    scope: 'cell',
    proves: 'a header sent twice is not picked from',
    expects: 'refused',
  },
  'auth.wrong-token': { scope: 'cell', proves: 'the token is checked too', expects: 'refused' },
  'auth.valid': {
    scope: 'cell',
    proves: 'the right token and code are let in',
    expects: 'authenticated',
    // An answer that is not the expected TaskNotFound is told from a refusal by comparison.
    needs: ['auth.none'],
  },
  'auth.after-valid': {
    scope: 'cell',
    proves: 'a success opens no door for what follows',
    expects: 'refused, as before it',
    needs: ['auth.none', 'auth.bearer-only', 'auth.totp-only', 'auth.valid'],
  },
  'auth.stream': { scope: 'cell', proves: 'streams are guarded as well', expects: 'refused' },
  challenge: {
    scope: 'cell',
    proves: 'a refusal says what is missing',
    expects: 'WWW-Authenticate with every 401',
    needs: ['auth.none', 'auth.bearer-only'],
  },
  status: {
    scope: 'cell',
    proves: 'a refusal is one to every client',
    expects: '401',
    needs: ['auth.none', 'auth.bearer-only'],
  },
  uniform: {
    scope: 'cell',
    proves: 'a thief does not learn that a token is live',
    expects: 'one answer for a bad token and a bad code',
    needs: ['auth.bearer-only', 'auth.wrong-token', 'auth.wrong-code'],
  },
  leak: {
    scope: 'cell',
    proves: 'no answer gives a secret away',
    expects: 'no seed, token or valid code',
    needs: ['auth.none', 'auth.bearer-only'],
  },
  replay: {
    scope: 'cell',
    proves: 'whether a code is good for more than one request',
    expects: 'as the policy says',
    needs: ['auth.none', 'auth.valid'],
  },
} as const satisfies Record<string, CheckInfo>

export type CheckId = keyof typeof checks

export const checkIds = Object.keys(checks) as CheckId[]

export const infoOf = (id: CheckId): CheckInfo => checks[id]

export interface Selection {
  /** Checks that appear in the report. */
  readonly reported: ReadonlySet<CheckId>
  /** Those, and the ones whose requests they judge. */
  readonly performed: ReadonlySet<CheckId>
}

/** Checks that a call with right credentials adds nothing to. */
const callFree: ReadonlySet<CheckId> = new Set([
  'reach',
  'tls',
  'card.fetch',
  'card.bearer',
  'card.totp',
  'card.and',
])

/**
 * Which checks to report and which to perform. What is skipped is never sent, not even as evidence for another, but for
 * the call with right credentials; what is opt-in only when it is named in `only` or in `optedIn`.
 *
 * @throws {TOTPError} `ERR_USAGE` for an id that is none, listing those that are.
 */
export function selectChecks(
  only: readonly string[] = [],
  skip: readonly string[] = [],
  optedIn: readonly CheckId[] = [],
): Selection {
  const skipped = new Set(parseIds(skip))
  const byDefault = checkIds.filter((id) => infoOf(id).optIn !== true)
  const wanted = [...(only.length > 0 ? parseIds(only) : byDefault), ...optedIn]
  const reported = new Set(wanted.filter((id) => !skipped.has(id)))
  // A refusal proves nothing at an agent that refuses everyone.
  const isCalled = [...reported].some((id) => !callFree.has(id))
  const judged = new Set<CheckId>([...reported, ...(isCalled ? (['auth.valid'] as const) : [])])
  const needed = [...judged].flatMap((id) => parseIds(infoOf(id).needs ?? []))
  return { reported, performed: new Set([...judged, ...needed.filter((id) => !skipped.has(id))]) }
}

function parseIds(given: readonly string[]): readonly CheckId[] {
  if (given.every(isCheckId)) return given
  throw new TOTPError('ERR_USAGE', `there is no such check; the checks are ${checkIds.join(', ')}`)
}

const isCheckId = (text: string): text is CheckId => Object.hasOwn(checks, text)
