import { TOTPError } from './errors.js'
import { jsonText } from './text.js'

const grammar = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** What a name of an agent or a peer may be, for messages. */
export const nameRule = 'a letter or digit, then up to 63 letters, digits, dots, dashes and underscores'

/** Returns whether a text is allowed as the name of an agent or a peer. */
export function isName(text: string): boolean {
  return grammar.test(text)
}

/**
 * Returns a text that is allowed as a name.
 *
 * @throws {TOTPError} `ERR_NAME_INVALID` for any other. The message does not quote it, since it may be a token that was
 *   pasted in the wrong place.
 */
export function parseName(text: string, what: 'agent' | 'peer'): string {
  if (isName(text)) return text
  throw new TOTPError('ERR_NAME_INVALID', `${what} name is not allowed; use ${nameRule}`)
}

/** A token as the tool makes them. */
const wholeToken = /^a2at_[A-Za-z0-9_-]{43}$/

/** Returns whether a text is allowed as the name of something new. A token in its place would be printed from then on. */
export function isNewName(text: string): boolean {
  return isName(text) && !wholeToken.test(text)
}

/**
 * Returns a text that is allowed as the name of something new.
 *
 * @throws {TOTPError} `ERR_NAME_INVALID`, as {@link parseName} does
 */
export function parseNewName(text: string, what: 'agent' | 'peer'): string {
  if (!wholeToken.test(text)) return parseName(text, what)
  throw new TOTPError(
    'ERR_NAME_INVALID',
    `${what} name is a token; use a name, and rotate the token if it is in use: the shell may have kept it`,
  )
}

/**
 * Returns a name as a message may show it: on one line and in quotes, or hidden when it looks like a token or a seed
 * that was pasted in the wrong place.
 */
export function quoteName(text: string): string {
  const secretLooking = /^-*(a2at_|[A-Za-z2-7=]{16,}$)/.test(text) || text.length > 64
  return secretLooking ? '(not shown: it looks like a secret)' : jsonText(text)
}
