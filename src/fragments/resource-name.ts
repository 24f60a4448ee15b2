import { hashToken } from '../core/token.js'

/**
 * `a2a-totp-` and names, as RFC 1123 labels have to be: what Kubernetes and compose take. A name that had to be
 * changed for it is followed by a part of its digest, so that `Bob` and `bob` stay two.
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
