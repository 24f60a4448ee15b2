import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authWrongCode: CellCheck = {
  id: 'auth.wrong-code',
  scope: 'cell',
  proves: 'the value of the code is checked',
  expects: 'refused',
  guesses: ({ wrong }) => [{ label: 'a wrong code', code: wrong }],
  judge: (cell) => judgeRefusedLate('auth.wrong-code', cell),
  means: 'A well-formed wrong code was let in: the value of the header is not checked.',
  fix: [
    'Check what your verify function returns: several libraries return a drift, where 0 means a match and is falsy, or null.',
    'Refuse when an exception is thrown or the store is down.',
  ],
}
