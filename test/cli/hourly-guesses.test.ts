import { expect, it } from 'vitest'
import { HourlyGuesses } from '../../src/cli/commands/probe/hourly-guesses.js'
import type { CheckStatus, ProbeReport } from '../../src/probe/index.js'

const minute = 60_000
const start = Date.parse('2030-01-01T10:42:30Z')

const reportOf = (guessesSpent: number, valid?: CheckStatus): ProbeReport =>
  ({ guessesSpent, checks: valid ? [{ id: 'auth.valid', status: valid }] : [] }) as unknown as ProbeReport

/** Notes a run that ended some minutes after the start, with the credentials `a`. */
function ran(hourly: HourlyGuesses, minutes: number, report: ProbeReport): void {
  const nowMs = minutes * minute
  const allowed = hourly.next(nowMs, 'a')
  hourly.note(report, allowed, { nowMs, at: new Date(start + nowMs), credentials: 'a' })
}

it('allows guesses once an hour, counted from the end of the run that sent them', () => {
  const hourly = new HourlyGuesses()
  expect(hourly.next(0, 'a')).toEqual({ kind: 'guesses' })
  ran(hourly, 1, reportOf(4, 'pass'))
  const reason = 'guessed at 10:43 UTC; guesses are sent at most once an hour'
  expect(hourly.next(2 * minute, 'a')).toEqual({ kind: 'no-guesses', reason })
  ran(hourly, 3, reportOf(0, 'pass'))
  expect(hourly.next(61 * minute - 1, 'b')).toEqual({ kind: 'no-guesses', reason })
  expect(hourly.next(61 * minute, 'a')).toEqual({ kind: 'guesses' })
  expect(hourly.guessed?.guessesSpent).toBe(4)
})

it('allows them in the next run where none were sent', () => {
  const hourly = new HourlyGuesses()
  ran(hourly, 0, reportOf(0))
  expect(hourly.next(minute, 'a')).toEqual({ kind: 'guesses' })
})

it.each([
  ['from the start', []],
  ['after a run that let them in', [reportOf(4, 'pass')]],
])('sends refused credentials again after an hour, or once they change: %s', (_, before) => {
  const hourly = new HourlyGuesses()
  for (const report of before) ran(hourly, 0, report)
  ran(hourly, 1, reportOf(1, 'fail'))
  const allowed = hourly.next(2 * minute, 'a')
  expect(allowed).toMatchObject({ kind: 'nothing' })
  expect('reason' in allowed ? allowed.reason : '').toMatch(/refused at 10:43 UTC.*again at 11:43 UTC/)
  expect(hourly.next(2 * minute, 'b')).toEqual({ kind: 'guesses' })
  expect(hourly.next(61 * minute, 'a')).toEqual({ kind: 'guesses' })
})
