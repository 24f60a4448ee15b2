/**
 * The risks of the OWASP Top 10 for Agentic Applications that a failure is about: ASI03, identity and privilege abuse;
 * ASI07, insecure communication between agents.
 */
export function tagsOf(id: string): string[] {
  return /^(auth|isolation|replay|window|throttle|leak|uniform|status|challenge|mesh)\b/.test(id)
    ? ['ASI03', 'ASI07']
    : ['ASI07']
}

/** On CVSS's scale, which GitHub shows as critical (from 9.0), high (7.0), medium (4.0) or low. */
const severities: readonly (readonly [RegExp, string])[] = [
  [
    /^(auth\.(none|bearer-only|totp-only|wrong-|cross-|doors|after-valid|stream)|leak|isolation|signed\.|mesh\.(edge|separate|removed))/,
    '9.0',
  ],
  [/^(auth\.(expired|future|malformed|duplicate)|replay|tls|throttle)/, '7.5'],
  [/^(auth\.valid|coverage|mesh|card\.|window)/, '5.0'],
]

export const severityOf = (id: string): string => severities.find(([ids]) => ids.test(id))?.[1] ?? '3.0'
