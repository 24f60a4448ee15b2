import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import type { Exchange } from '../run/exchange.js'
import { wasLetIn } from '../run/reading.js'
import { throttleLabels } from '../run/scan-labels.js'
import { letInNowhere, scanOf } from './shared/scan.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const throttle: RunCheck = {
  id: 'throttle',
  scope: 'run',
  proves: 'wrong codes are slowed down',
  expects: '429, a lockout or a delay',
  needs: ['auth.none', 'auth.valid'],
  optIn: true,
  judge: judgeThrottle,
  means:
    'Runs only with `--throttle`. An attacker with the token can guess six digits within an hour at 100 tries a second if nothing limits them. The probe sent more distinct wrong codes than any caller needs, and none was slowed down. A limit that counts the requests of an address, and so those without credentials too, shows nothing: attackers have many addresses. The peer may be locked out for a while afterwards, so give the probe its own peer.',
  fix: [
    'Count wrong codes per seed, not per address, and do not reset the count after a success.',
    'If everybody is throttled, probe more slowly with `--rate`, so that the limit of the agent comes first.',
    '`TOTPServerAuthScheme` does so with its default `throttle`; replicas share its state in Redis.',
  ],
}

/** Answers count as slowed down if they take this many times longer than the first ones, and at least this long. */
const slowedBy = 5
const slowMs = 500

/** Whether many wrong codes in a row are slowed down: by 429, by a lock, or by waiting. */
function judgeThrottle(evidence: Evidence): Verdict {
  const why = evidence.whyNotSent.throttle
  if (why !== undefined) return skipped(why)
  const scan = scanOf('throttle', evidence)
  if (!scan) return letInNowhere
  const { cell, exchanges } = scan
  const guesses = evidence.guessesSpent
  const throttled = exchanges.find(({ isGuess, answer }) => isGuess && answer.kind === 'throttled')?.answer
  if (throttled && isThrottledAnyway(exchanges)) {
    return {
      ...skipped(
        'everybody is throttled here, without credentials too, so nothing is shown of wrong codes; try --rate',
      ),
      actual: throttled.summary,
    }
  }
  if (throttled) {
    const wait =
      throttled.retryAfter === undefined ? 'no Retry-After' : `Retry-After ${throttled.retryAfter} s`
    return passed(`${throttled.summary} after ${guesses} wrong codes`, wait)
  }
  const right = exchanges.findLast(({ label }) => label === throttleLabels.right)
  if (right && wasLetIn(right.answer, cell) === 'no' && !saysUsed(right, exchanges)) {
    return passed(`after ${guesses} wrong codes the right one is refused too`, 'the peer is locked')
  }
  const answered = exchanges.filter(({ isGuess, answer }) => isGuess && answer.kind !== 'unreadable')
  const [early, recent] = [meanMs(answered.slice(0, 3)), meanMs(answered.slice(-3))]
  if (recent > slowMs && recent > slowedBy * early) {
    return passed(`after ${guesses} wrong codes an answer takes ${Math.round(recent)} ms`)
  }
  return failed(
    `${guesses} wrong codes in a row, none slowed down`,
    'an attacker with the token can try codes until one matches; limit wrong codes per peer (RFC 6238, 5.2; RFC 4226, 7.3)',
  )
}

/** Whether callers without credentials were throttled as wrong codes were: such a limit counts requests, not guesses. */
const isThrottledAnyway = (exchanges: readonly Exchange[]): boolean =>
  exchanges.some(({ label, answer }) => label === throttleLabels.nobody && answer.kind === 'throttled')

/** Whether a right code was refused as one that was used: told to come back later, which no wrong code was. */
function saysUsed({ answer }: Exchange, exchanges: readonly Exchange[]): boolean {
  const isToldToWait = (one: Exchange['answer']): boolean =>
    one.kind === 'refused' && one.retryAfter !== undefined
  return isToldToWait(answer) && !exchanges.some((one) => one.isGuess && isToldToWait(one.answer))
}

function meanMs(exchanges: readonly Exchange[]): number {
  return exchanges.reduce((sum, { answer }) => sum + answer.durationMs, 0) / Math.max(exchanges.length, 1)
}
