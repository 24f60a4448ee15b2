import type { CheckId } from './catalogue.js'
import type { WrongCodes } from '../run/codes.js'
import type { FieldLine } from '../wire/raw-answer.js'

/** What a refusal check has to work with. */
export interface Material {
  readonly token: string
  readonly header: string
  /** A token that nobody has. */
  readonly unknownToken: string
  /** A code that would be accepted, with the right token beside it. */
  readonly code: string
  /** Another such code, if need be, with one of the three digits that Latin-1 has as superscripts. */
  readonly codeWith123: string
}

/** One request that a correct agent refuses. */
export interface Attempt {
  readonly check: CheckId
  /** What is wrong with it, for the report. */
  readonly label: string
  readonly fields: readonly FieldLine[]
  readonly operation: 'get' | 'subscribe'
  /** Whether it is sent again after a success. */
  readonly again: boolean
  /** The wrong code that it spends. */
  readonly guess?: string
}

type Variant = Pick<Attempt, 'label' | 'fields'> & Partial<Attempt>

const bearer = (token: string): FieldLine => ['Authorization', `Bearer ${token}`]

/** Requests that spend no guess: nothing in them is a well-formed wrong code beside the live token. */
const freeRefusals = {
  'auth.none': () => [{ label: 'no credentials', fields: [], again: true }],
  'auth.bearer-only': ({ token }) => [{ label: 'the token alone', fields: [bearer(token)], again: true }],
  'auth.totp-only': ({ header, code }) => [
    { label: 'a valid code alone', fields: [[header, code]], again: true },
  ],
  'auth.wrong-token': ({ unknownToken, header, code }) => [
    { label: 'an unknown token with a valid code', fields: [bearer(unknownToken), [header, code]] },
    { label: 'an unknown token alone', fields: [bearer(unknownToken)] },
  ],
  'auth.malformed-code': ({ token, header, code, codeWith123 }) => [
    {
      label: 'letters for a code',
      fields: [bearer(token), [header, 'abcdefgh'.slice(0, code.length)]],
      again: true,
    },
    ...malformedCodes(code, codeWith123).map(([label, value]): Variant => ({
      label,
      fields: [bearer(token), [header, value]],
    })),
  ],
  'auth.duplicate-header': ({ token, unknownToken, header, code }) => [
    { label: 'the code, then junk', fields: [bearer(token), [header, code], [header, 'junk']] },
    { label: 'junk, then the code', fields: [bearer(token), [header, 'junk'], [header, code]] },
    { label: 'the code twice', fields: [bearer(token), [header, code], [header, code]] },
    {
      label: 'the token, then an unknown one',
      fields: [bearer(token), bearer(unknownToken), [header, code]],
    },
    {
      label: 'an unknown token, then the right one',
      fields: [bearer(unknownToken), bearer(token), [header, code]],
    },
  ],
  'auth.stream': ({ token }) => [
    { label: 'subscribing without credentials', fields: [], operation: 'subscribe' },
    { label: 'subscribing with the token alone', fields: [bearer(token)], operation: 'subscribe' },
  ],
} satisfies Partial<Record<CheckId, (material: Material) => Variant[]>>

interface Guess extends Pick<Attempt, 'label'>, Partial<Pick<Attempt, 'operation'>> {
  readonly pick: (codes: WrongCodes) => string | undefined
  /** The check that spends the code anyway: without it, it is not spent for this one. */
  readonly with?: CheckId
}

/** Requests with a wrong code beside the live token: agents count the distinct codes. */
const guesses = {
  'auth.wrong-code': { label: 'a wrong code', pick: ({ wrong }) => wrong },
  'auth.expired-code': { label: 'a code of minutes ago', pick: ({ expired }) => expired },
  'auth.future-code': { label: 'a code of minutes from now', pick: ({ future }) => future },
  'auth.cross-peer': { label: "another peer's code", pick: ({ crossPeer }) => crossPeer },
  'auth.stream': {
    label: 'subscribing with a wrong code',
    pick: ({ wrong }) => wrong,
    operation: 'subscribe',
    with: 'auth.wrong-code',
  },
} satisfies Partial<Record<CheckId, Guess>>

/** When a request that spends no guess is sent: few before anything succeeded, the many after it. */
export type Stage = 'before-valid' | 'after-valid'

/** Variants of a valid call: many, and telling only where that one is let in. */
const late: ReadonlySet<CheckId> = new Set(['auth.malformed-code', 'auth.duplicate-header'])

/** Whether most requests of a refusal check come after the valid calls. */
export const isLate = (check: CheckId): boolean => late.has(check)

/** What spends no guess, for the checks that are performed. What is sent again after a success is sent before it. */
export function freeAttempts(performed: ReadonlySet<CheckId>, material: Material, stage: Stage): Attempt[] {
  return entriesOf(freeRefusals)
    .filter(([check]) => performed.has(check))
    .flatMap(([check, variants]) =>
      variants(material).map((variant: Variant): Attempt => ({
        check,
        operation: 'get',
        again: false,
        ...variant,
      })),
    )
    .filter(({ check, again }) => (isLate(check) && !again) === (stage === 'after-valid'))
}

/** The call of a complete stranger: how it is answered tells how the agent takes an unknown token. */
export function strangerAttempt({ unknownToken, header, code }: Material): FieldLine[] {
  return [bearer(unknownToken), [header, code]]
}

/** What to send last. */
export function guessAttempts(
  performed: ReadonlySet<CheckId>,
  { token, header }: Material,
  codes: WrongCodes,
): Attempt[] {
  return entriesOf(guesses).flatMap(([check, one]: [CheckId, Guess]) => {
    const { label, operation = 'get' } = one
    const guess = one.pick(codes)
    if (!performed.has(check) || !performed.has(one.with ?? check) || guess === undefined) return []
    const fields: FieldLine[] = [bearer(token), [header, guess]]
    return [{ check, label, fields, operation, again: false, guess }]
  })
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

function entriesOf<Table extends object>(table: Table): [keyof Table, Table[keyof Table]][] {
  return Object.entries(table) as [keyof Table, Table[keyof Table]][]
}
