import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authFutureCode: CellCheck = {
  id: 'auth.future-code',
  scope: 'cell',
  proves: 'a future code is refused',
  expects: 'refused',
  guesses: ({ future }) => [{ label: 'a code of minutes from now', code: future }],
  judge: (cell) => judgeRefusedLate('auth.future-code', cell),
  means:
    'A code for several minutes in the future was let in: the window is far too wide, or codes are not derived from the time.',
  fix: ['See `auth.expired-code`, and check the clock of the agent (`clock`).'],
}
