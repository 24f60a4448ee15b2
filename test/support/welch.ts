/** Mean and variance of samples. */
export interface Moments {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

export function momentsOf(samples: readonly number[]): Moments {
  const count = samples.length
  const mean = samples.reduce((sum, one) => sum + one, 0) / count
  const variance = samples.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1)
  return { count, mean, variance }
}

/** Welch's t: by how many standard errors two means differ. Beyond 4.5 it is no accident. */
export function welchT(a: Moments, b: Moments): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count)
}
