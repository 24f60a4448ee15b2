import { isObject, type JsonObject } from '../../core/json.js'
import { isName } from '../../core/name.js'
import { labelOf, resourceName } from '../../core/resource-name.js'
import { Variables, variablesIn } from './env-lines.js'

/** What a resource contains. */
interface Content {
  /** Its values that look like JSON. */
  readonly files: readonly string[]
  readonly variables: Variables
}

/** Reads the values of a Secret, plain or in base64, or the variables in any other resource, such as a compose file. */
export function contentOf(resource: JsonObject): Content {
  const variables = resource['kind'] === 'Secret' ? secretValues(resource) : variablesInside(resource)
  return { files: variables.values().filter((value) => /^\s*\{/.test(value)), variables }
}

function secretValues({ data, stringData }: JsonObject): Variables {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(isObject(data) ? data : {}))
    if (typeof value === 'string') values.set(key, Buffer.from(value, 'base64').toString())
  // Kubernetes prefers what is plain.
  for (const [key, value] of Object.entries(isObject(stringData) ? stringData : {}))
    if (typeof value === 'string') values.set(key, value)
  return new Variables(values)
}

/** `environment:` of compose and the like, however deep: a map, or a list of `NAME=value` or of `{name, value}`. */
function variablesInside(root: unknown): Variables {
  const variables = new Variables()
  const open: unknown[] = [root]
  for (let steps = 0; open.length > 0 && steps < 100_000; steps++) {
    const one = open.pop()
    if (typeof one === 'string') variablesIn(one, variables)
    else if (Array.isArray(one)) for (const item of one as unknown[]) open.push(item)
    else if (isObject(one)) {
      if (typeof one['name'] === 'string' && one['name'].startsWith('A2A_TOTP_') && 'value' in one)
        variables.set(one['name'], String(one['value']))
      for (const [key, value] of Object.entries(one)) {
        if (/^A2A_TOTP_[A-Z_]+$/.test(key) && ['string', 'number'].includes(typeof value))
          variables.set(key, String(value))
        else if (typeof value === 'object' || Array.isArray(value)) open.push(value)
      }
    }
  }
  return variables
}

/**
 * Returns the peer that a Secret is named after, `alice` for `a2a-totp-billing-alice`: undefined where the name is not
 * known to be made from it, as for `Bob`, whose capital letter is lost.
 */
export function peerInResource({ metadata }: JsonObject, agent: string | undefined): string | undefined {
  const name = isObject(metadata) ? metadata['name'] : undefined
  if (typeof name !== 'string' || agent === undefined) return undefined
  // Version 0.1 put no digest behind a name with a hyphen.
  const prefix = [`${resourceName(agent)}-`, `a2a-totp-${agent}-`].find((one) => name.startsWith(one))
  if (prefix === undefined) return undefined
  const label = name.slice(prefix.length)
  const [, plain = label] = /^(.*)-[0-9a-f]{8}$/.exec(label) ?? []
  return isName(plain) && (plain === label || labelOf(plain) === label) ? plain : undefined
}
