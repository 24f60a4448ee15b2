import type { Answer } from '../../wire/answer.js'

/** What an agent answers that does not have a method, or its capability, for anyone. */
const noMethod = new Set([
  ...['-32601', '-32003', '-32004', '-32007', '-32009', 'UNIMPLEMENTED', 'VERSION_NOT_SUPPORTED'],
  ...['UNSUPPORTED_OPERATION', 'PUSH_NOTIFICATION_NOT_SUPPORTED', 'EXTENDED_AGENT_CARD_NOT_CONFIGURED'],
])

/**
 * Whether an answer says that there is no such method here. The TaskNotFound of REST is a 404 too, and shows that the
 * method is there.
 */
export function saysNoMethod({ kind, status, signature }: Answer): boolean {
  const [, ...words] = signature.split(' ')
  if (words.some((word) => noMethod.has(word))) return true
  if (status === 405 || status === 501) return true
  // Without one of these reasons a precondition is one that the method itself checks.
  return kind === 'unserved' && !words.includes('FAILED_PRECONDITION')
}
