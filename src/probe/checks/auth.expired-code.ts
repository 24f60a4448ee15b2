import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authExpiredCode: CellCheck = {
  id: 'auth.expired-code',
  scope: 'cell',
  proves: 'an old code is worth nothing',
  expects: 'refused',
  guesses: ({ expired }) => [{ label: 'a code of minutes ago', code: expired }],
  judge: (cell) => judgeRefusedLate('auth.expired-code', cell),
  means: 'A code of more than five minutes ago was let in: the window is far too wide, or codes are stored.',
  fix: [
    'Window 1 (RFC 6238, 5.2), in steps, not in seconds: a window of 30 "seconds" may be 30 steps either side.',
    'Find out how wide it is with `--window-scan`.',
  ],
}
