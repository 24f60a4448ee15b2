/** A median and the interval that holds the true one with 95 % confidence. */
export interface Estimate {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The middle value; with an even count, the mean of the two in the middle. NaN of nothing. */
export function medianOf(samples: readonly number[]): number {
  const sorted = ascending(samples)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2
}

/**
 * The median with its 95 % interval by order statistics, which asks nothing of how the samples are distributed.
 * With fewer than six samples no interval has that confidence; then it spans them all.
 */
export function estimateOf(samples: readonly number[]): Estimate {
  const sorted = ascending(samples)
  const half = 0.98 * Math.sqrt(sorted.length)
  const last = sorted.length - 1
  const low = Math.max(0, Math.floor(sorted.length / 2 - half) - 1)
  const high = Math.min(last, Math.ceil(sorted.length / 2 + half))
  return { median: medianOf(sorted), low: sorted[low] ?? NaN, high: sorted[high] ?? NaN }
}

/** What each sample is of the one taken right beside it: what slowed the machine down for a while cancels out. */
export function pairedRatios(own: readonly number[], other: readonly number[]): number[] {
  return own.map((value, index) => value / (other[index] ?? NaN))
}

function ascending(samples: readonly number[]): number[] {
  return [...samples].sort((one, other) => one - other)
}
