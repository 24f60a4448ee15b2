import type { CellCheck } from './check.js'
import { bearerField } from '../run/material.js'
import { judgeRefusedLate } from './shared/refused.js'

export const authMalformedCode: CellCheck = {
  id: 'auth.malformed-code',
  scope: 'cell',
  proves: 'a code is ASCII digits and nothing else',
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
    'A malformed code was let in because the agent converted it: it trimmed or split it, normalised it (pyotp accepts `¹²³`), or read it as a number. What was checked then differs from what proxies and logs saw.',
  fix: [
    'Before computing any HMAC, require ASCII digits, exactly as many as the profile has: `/^[0-9]{6}$/`.',
    'Refuse a malformed code; do not repair it.',
  ],
}

/**
 * Malformed values in which a lenient reader finds a valid code: an agent that trims, normalises, splits or converts lets
 * one of them in. None is well-formed, so none is a guess. Values with whitespace at the ends are missing because HTTP
 * strips it (RFC 9110 §5.5), those with NUL or line ends because HTTP cannot carry them.
 */
function malformedCodes(code: string, codeWith123: string): (readonly [label: string, value: string])[] {
  const superscripts = codeWith123.replace(/[123]/g, (digit) => ({ '1': '¹', '2': '²' })[digit] ?? '³')
  const fullWidth = code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))
  return [
    ['an empty code', ''],
    ['a code with a no-break space after it', `${code}\u00a0`],
    ['a code with a space in it', `${code.slice(0, 3)} ${code.slice(3)}`],
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
