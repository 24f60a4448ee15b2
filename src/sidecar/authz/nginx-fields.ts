import { acceptSignature, challenges } from '../../core/challenge.js'
import { httpAnswer, type Refusal } from '../../server/scheme/refusal.js'

/**
 * nginx's `auth_request` understands 401 and 403 alone, and adds its own copy of WWW-Authenticate. So the answer to its
 * sub-request carries the true one in these fields, which its configuration passes to `/denied`.
 */
export const nginxFields = {
  status: 'TotpStatus',
  challenges: 'TotpChallenges',
  retryAfter: 'TotpRetryAfter',
} as const

/** A refusal as those fields. */
export function fieldsOfRefusal(refusal: Refusal): [name: string, value: string][] {
  const fields: [string, string][] = [[nginxFields.status, String(httpAnswer(refusal).status)]]
  if (refusal.challenges.length > 0) fields.push([nginxFields.challenges, joined(refusal.challenges)])
  if (refusal.retryAfter !== undefined) fields.push([nginxFields.retryAfter, String(refusal.retryAfter)])
  return fields
}

/** Several challenges as one line, as a list of RFC 9110 §5.6.1. */
const joined = (values: readonly string[]): string => values.join(', ')

const kinds = {
  '401': 'unauthenticated',
  '429': 'throttled',
  '503': 'unavailable',
} as const satisfies Record<string, Refusal['kind']>

const isStatus = (text: string): text is keyof typeof kinds => Object.hasOwn(kinds, text)

/**
 * The refusal that {@link fieldsOfRefusal} wrote. What it did not write becomes one too, of kind `unavailable`: whoever
 * asks for a refusal gets one.
 *
 * @param usual challenges in place of any that are missing or were not written here
 */
export function refusalOfFields(
  { status, challenges: given, retryAfter }: Readonly<Record<keyof typeof nginxFields, string>>,
  usual: Pick<Refusal, 'challenges' | 'acceptSignature'>,
): Refusal {
  const kind = isStatus(status) ? kinds[status] : 'unavailable'
  const wait = /^[0-9]{1,6}$/.test(retryAfter) ? { retryAfter: Number(retryAfter) } : {}
  const asked = kind === 'unauthenticated' ? (challengesOf(given) ?? usual) : { challenges: [] }
  return { kind, reason: 'guard-failed', ...wait, ...asked }
}

/** Writes every line that could be meant and compares, so that there is no second grammar of challenges. */
function challengesOf(text: string): Pick<Refusal, 'challenges' | 'acceptSignature'> | undefined {
  const header = /, header="([!#-~]{1,256})"/.exec(text)?.[1]
  if (header === undefined) return undefined
  for (const tokenGiven of [true, false]) {
    for (const proofRequired of [true, false]) {
      const values = challenges(header, tokenGiven, proofRequired)
      if (joined(values) !== text) continue
      return { challenges: values, ...(proofRequired && { acceptSignature: acceptSignature(header) }) }
    }
  }
  return undefined
}
