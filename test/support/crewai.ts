import { expect } from 'vitest'

/** What test/interop/python/client_crewai.py prints. */
export interface CrewaiReport {
  readonly polling: string
  readonly streaming: string
  /** Polls with the emitted scheme, and with one whose code was made once. */
  readonly long: PollReport
  readonly frozen: PollReport
  /** How many different codes the emitted scheme sent meanwhile. */
  readonly codes: number
}

interface PollReport {
  readonly seconds: number
  readonly polls: number
  readonly refused: number | null
}

/** That one client of crewAI's was never refused in so many seconds, while a code that is made once was. */
export function expectFreshCodes(
  { long, frozen, codes }: CrewaiReport,
  { seconds, period }: { seconds: number; period: number },
): void {
  expect(long.refused).toBeNull()
  expect(long.seconds).toBeGreaterThanOrEqual(seconds)
  expect(codes).toBeGreaterThan(seconds / period)
  // Good in its own time step and the next, with a window of 1; then it is a wrong code.
  expect(frozen.refused).toBe(401)
  expect(frozen.seconds).toBeLessThan(long.seconds)
}
