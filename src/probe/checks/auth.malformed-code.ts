import type { CellCheck } from './check.js'
import { bearerField } from '../run/material.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authMalformedCode: CellCheck = {
  id: 'auth.malformed-code',
  scope: 'cell',
  proves: 'only ASCII digits are a code',
  expects: 'refused',
  late: true,
  attempts: ({ token, header, code, codeWith123 }) => [
    {
      label: 'letters for a code',
      fields: [bearerField(token), [header, 'abcdefgh'.slice(0, code.length)]],
      again: true,
    },
    ...malformedCodes(code, codeWith123).map(([label, value]) => ({
      label,
      fields: [bearerField(token), [header, value] as const],
    })),
  ],
  judge: (cell) => judgeRefusedLate('auth.malformed-code', cell),
  means:
    'Something that is no code was let in because it was bent into one: trimmed, split, normalised (pyotp takes `¹²³`), or read as a number. Each such rule is a difference between what was checked and what others see.',
  fix: [
    'Before any HMAC, demand ASCII digits and exactly as many as the profile says: `/^[0-9]{6}$/`.',
    'Refuse; do not repair.',
  ],
}

/**
 * Values that hold a valid code for a lenient reader but are none: whoever trims, normalises, splits or converts
 * lets one of them in. None is well-formed, so none is a guess. Blanks and tabs at the ends are missing because
 * HTTP takes them off (RFC 9110 §5.5), NUL and line ends because it cannot carry them.
 */
function malformedCodes(code: string, codeWith123: string): (readonly [label: string, value: string])[] {
  const superscripts = codeWith123.replace(/[123]/g, (digit) => ({ '1': '¹', '2': '²' })[digit] ?? '³')
  const fullWidth = code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))
  return [
    ['an empty code', ''],
    ['a code with a no-break space after it', `${code}\u00a0`],
    ['a code with a blank within', `${code.slice(0, 3)} ${code.slice(3)}`],
    ['a code with a plus sign', `+${code}`],
    ['a code as a decimal fraction', `${code}.0`],
    ['a code with a zero before it', `0${code}`],
    ['a code with a digit after it', `${code}0`],
    ['a code without its last digit', code.slice(0, -1)],
    ['a code in a list', `${code}, junk`],
    ['a code in quotes', `"${code}"`],
    ['a code in full-width digits', Buffer.from(fullWidth).toString('latin1')],
    ...(superscripts === codeWith123 ? [] : ([['a code with superscript digits', superscripts]] as const)),
  ]
}
