import { hashToken } from '../core/token.js'

/**
 * Returns `a2a-totp-` and the names as an RFC 1123 label, which Kubernetes and compose accept. A name that has to be
 * changed for it is followed by part of its digest, so that `Bob` and `bob` stay different.
 */
export function resourceName(...names: readonly string[]): string {
  return ['a2a-totp', ...names.map(labelOf)].join('-')
}

function labelOf(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-+$/, '')
  return label === name ? label : `${label}-${hashToken(name).slice('sha256:'.length).slice(0, 8)}`
}
