import type { MixedOptions } from '../../service/mixed-listener.js'
import type { AuthzRules } from './decide-original.js'
import { nginxFields } from './nginx-fields.js'

/**
 * Reports sub-requests whose heads could not be read. nginx passes on what a field says, whatever it is, and takes any other
 * answer than 401 for a gate that is down: it gets the true one as for a refusal.
 */
export function reportUnserved({
  observer,
}: Pick<AuthzRules, 'observer'>): NonNullable<MixedOptions['onUnservedHead']> {
  return ({ status, isField, seen }) => {
    const isNginx = seen.startsWith('GET /auth/nginx ')
    observer.call({
      ...{ role: 'authz', outcome: undefined, own: 'bad-request', durationMs: 0 },
      ...{ method: isNginx ? 'GET' : '', path: isNginx ? '/auth/nginx' : '', status: String(status) },
    })
    if (!isNginx || !isField) return undefined
    return { status: 401, fields: [`${nginxFields.status}: ${status}`] }
  }
}
