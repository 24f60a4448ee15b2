import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authFutureCode: CellCheck = {
  id: 'auth.future-code',
  scope: 'cell',
  proves: 'a code of the future is worth nothing',
  expects: 'refused',
  guesses: ({ future }) => [{ label: 'a code of minutes from now', code: future }],
  judge: (cell) => judgeRefusedLate('auth.future-code', cell),
  means: 'A code of minutes from now was let in: the window is far too wide, or the counter is not the time.',
  fix: ['As for `auth.expired-code`; and look at the clock of the agent (`clock`).'],
}
