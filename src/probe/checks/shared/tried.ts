import type { Tried } from '../../run/reading.js'

export function labelsOf(tried: readonly Tried[]): string {
  return [...new Set(tried.map(({ label }) => label))].join(', ')
}
