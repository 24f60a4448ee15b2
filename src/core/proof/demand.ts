/** A token of RFC 9110, and the value of a parameter if it is one. */
const part = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g

/** More than a challenge of ours ever has; the text is the agent's. */
const mostCharacters = 4096

/**
 * Whether the challenges of a refusal (WWW-Authenticate, its lines combined) have one of the scheme TOTP with
 * `proof="required"`.
 */
export function demandsProof(challenges: string | null | undefined): boolean {
  let scheme = ''
  for (const [, name = '', quoted, bare] of (challenges ?? '').slice(0, mostCharacters).matchAll(part)) {
    const value = quoted ?? bare
    if (value === undefined) scheme = name.toLowerCase()
    else if (scheme === 'totp' && name.toLowerCase() === 'proof' && value === 'required') return true
  }
  return false
}
