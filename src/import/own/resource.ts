import { isObject, type JsonObject } from '../../core/json.js'
import { isName } from '../../core/name.js'
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

/** `a2a-totp-billing-alice`. A name that had to be changed for it ends in a digest, and cannot be told from it. */
export function peerInResource({ metadata }: JsonObject, agent: string | undefined): string | undefined {
  const name = isObject(metadata) ? metadata['name'] : undefined
  const prefix = `a2a-totp-${agent ?? ''}-`
  if (typeof name !== 'string' || agent === undefined || !name.startsWith(prefix)) return undefined
  const label = name.slice(prefix.length)
  return isName(label) && !/-[0-9a-f]{8}$/.test(label) ? label : undefined
}
