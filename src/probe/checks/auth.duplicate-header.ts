import type { CellCheck } from './check.js'
import { bearerField } from '../run/material.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authDuplicateHeader: CellCheck = {
  id: 'auth.duplicate-header',
  scope: 'cell',
  proves: 'a duplicate header is refused',
  expects: 'refused',
  late: true,
  attempts: ({ token, unknownToken, header, code }) => {
    const [right, unknown] = [bearerField(token), bearerField(unknownToken)]
    return [
      { label: 'the code, then junk', fields: [right, [header, code], [header, 'junk']] },
      { label: 'junk, then the code', fields: [right, [header, 'junk'], [header, code]] },
      { label: 'the code twice', fields: [right, [header, code], [header, code]] },
      { label: 'the token, then an unknown one', fields: [right, unknown, [header, code]] },
      { label: 'an unknown token, then the right one', fields: [unknown, right, [header, code]] },
    ]
  },
  judge: (cell) => judgeRefusedLate('auth.duplicate-header', cell),
  means:
    'A duplicate header was let in: the agent picked one of the two values, and a proxy may have checked the other. Node silently keeps the first Authorization and joins other headers with a comma.',
  fix: [
    'Count the header lines: `request.rawHeaders` in Node, `scope["headers"]` in ASGI, `metadata.get(name)` in gRPC.',
    'Refuse a value that contains a comma.',
  ],
}
