import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authExpiredCode: CellCheck = {
  id: 'auth.expired-code',
  scope: 'cell',
  proves: 'an old code is refused',
  expects: 'refused',
  guesses: ({ expired }) => [{ label: 'a code of minutes ago', code: expired }],
  judge: (cell) => judgeRefusedLate('auth.expired-code', cell),
  means:
    'A code from more than five minutes ago was let in: the window is far too wide, or codes are stored.',
  fix: [
    'Use a window of 1 (RFC 6238, 5.2). It is counted in steps, not in seconds: a window of 30 "seconds" may be 30 steps on either side.',
    'Run with `--window-scan` to find out how wide it is.',
  ],
}
