import type { CellCheck } from './check.js'
import { judgeRefused } from './shared/refused.js'
import { oneGuard } from './shared/advice.js'

export const authTotpOnly: CellCheck = {
  id: 'auth.totp-only',
  scope: 'cell',
  proves: 'a code alone is not enough',
  expects: 'refused',
  attempts: ({ header, code }) => [{ label: 'a valid code alone', fields: [[header, code]], again: true }],
  judge: (cell) => judgeRefused('auth.totp-only', cell),
  means: 'A code without a token was let in. Six digits alone can be guessed.',
  fix: ['Look up the peer by its token first, then check the code against that peer only.', oneGuard],
}
