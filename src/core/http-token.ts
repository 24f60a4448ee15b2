const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Returns whether a text is a token of HTTP (RFC 9110 §5.6.2), as the names of fields and methods are. */
export function isHttpToken(text: string): boolean {
  return token.test(text)
}
