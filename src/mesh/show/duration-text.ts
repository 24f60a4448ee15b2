const units = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

/** A duration as a mesh file has it: `90d`, in the largest unit that leaves no rest. */
export function durationText(ms: number): string {
  const [unit, length] = units.find(([, each]) => ms % each === 0) ?? ['s', 1000]
  return `${ms / length}${unit}`
}

/** How long something lasts, for people: `3d`, in the largest unit of which there is one. */
export function spanText(ms: number): string {
  const whole = Math.max(0, ms)
  const [unit, length] = units.slice(1).find(([, each]) => whole >= each) ?? ['s', 1000]
  return `${Math.floor(whole / length)}${unit}`
}

/** The day of an instant, in UTC. */
export const dayText = (instant: string): string => instant.slice(0, 10)
