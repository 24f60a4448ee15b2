import type { TOTPProfile } from '../../../core/profile.js'
import { isRefusalStage, type Exchange } from '../../run/exchange.js'

/**
 * How far the agent's clock is ahead of this one, in milliseconds; negative if it is behind, 0 if no difference shows.
 * Undefined without a Date header.
 *
 * A Date has whole seconds and was written between request and answer, so each Date yields a range; the intersection of
 * all ranges is the best estimate.
 */
export function clockOffsetMs(exchanges: readonly Exchange[]): number | undefined {
  let least = -Infinity
  let most = Infinity
  // A refusal may come from something in front, with a clock of its own; right credentials are answered by the agent.
  const own = exchanges.filter(({ answer }) => answer.kind !== 'foreign' && answer.by === undefined)
  const refusals = own.filter(({ stage }) => isRefusalStage(stage))
  const others = own.filter(({ stage }) => !isRefusalStage(stage))
  for (const { answer } of [...refusals, ...others]) {
    const { date, receivedAt, durationMs } = answer
    if (!date || !receivedAt) continue
    const low = date.getTime() - receivedAt.getTime()
    const high = low + durationMs + 1000
    // Ranges of two clocks, or of one that is set while the probe runs, do not meet: the last counts.
    if (low > most || high < least) [least, most] = [low, high]
    else [least, most] = [Math.max(least, low), Math.min(most, high)]
  }
  if (least === -Infinity) return undefined
  if (least <= 0 && most >= 0) return 0
  return least > 0 ? least : most
}

/** The offset of the agent's clock if it is too large for any code of now to match; else undefined. */
export function hopelessOffsetMs(
  exchanges: readonly Exchange[],
  { window, period }: Pick<TOTPProfile, 'window' | 'period'>,
): number | undefined {
  const offsetMs = clockOffsetMs(exchanges)
  const isHopeless = offsetMs !== undefined && Math.abs(offsetMs) > (window + 0.5) * period * 1000
  return isHopeless ? offsetMs : undefined
}
