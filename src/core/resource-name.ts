import { hashToken } from './token.js'

/**
 * Returns `a2a-totp-` and the names as an RFC 1123 label, which Kubernetes and compose accept. No two lists of names have
 * the same: see {@link labelOf}.
 */
export function resourceName(...names: readonly string[]): string {
  return ['a2a-totp', ...names.map(labelOf)].join('-')
}

/**
 * Returns a name as a part of an RFC 1123 label. One that has to be changed for it, or has the hyphen that stands between
 * names, is followed by part of its digest: so `Bob` and `bob` stay different, and so do the peer `ci` of the agent
 * `billing-alice` and the peer `alice-ci` of `billing`.
 */
export function labelOf(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')
  const alone = label === name && !name.includes('-')
  return alone ? label : `${label}-${hashToken(name).slice('sha256:'.length).slice(0, 8)}`
}
