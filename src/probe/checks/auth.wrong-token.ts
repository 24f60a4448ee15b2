import type { CellCheck } from './check.js'
import { bearerField } from '../run/material.js'
import { judgeRefused } from './shared/refused.js'
import { oneGuard } from './shared/advice.js'

export const authWrongToken: CellCheck = {
  id: 'auth.wrong-token',
  scope: 'cell',
  proves: 'the token is checked too',
  expects: 'refused',
  attempts: ({ unknownToken, header, code }) => [
    { label: 'an unknown token with a valid code', fields: [bearerField(unknownToken), [header, code]] },
    { label: 'an unknown token alone', fields: [bearerField(unknownToken)] },
  ],
  judge: (cell) => judgeRefused('auth.wrong-token', cell),
  means: 'An unknown token was let in with a valid code: the first factor is not checked.',
  fix: ['Refuse unknown tokens; do not fall back to a default peer or a shared seed.', oneGuard],
}
