import { asList, asObject, isObject, type JsonObject } from '../json.js'

/**
 * Returns a card whose security fields, and those of its skills, have their own names. Protobuf readers accept a field by
 * its name in snake case too, and Go's in any case: alternatives under such a name count beside the others, and schemes
 * where the field itself has none of that name. A card without such names is returned as it is.
 */
export function inOwnSpelling(card: JsonObject): JsonObject {
  const named = withOwnNames(card, cardFields)
  const { skills, securitySchemes } = named
  return {
    ...named,
    ...(isObject(securitySchemes) && {
      securitySchemes: Object.fromEntries(
        Object.entries(securitySchemes).map(([name, scheme]) => [name, inOwnNames(scheme, kindFields)]),
      ),
    }),
    ...(Array.isArray(skills) && { skills: asList(skills).map((one) => inOwnNames(one, requirementFields)) }),
  }
}

/** Returns an object without the fields that some readers take for others, which have the given names. */
export function withoutAliases(object: JsonObject, names: readonly string[]): JsonObject {
  const folded = new Set(names.map(fold))
  return Object.fromEntries(
    Object.entries(asObject(object)).filter(([name]) => names.includes(name) || !folded.has(fold(name))),
  )
}

const requirementFields = ['securityRequirements', 'security']
const cardFields = [...requirementFields, 'securitySchemes', 'skills']
const kindFields = [
  'apiKeySecurityScheme',
  'httpAuthSecurityScheme',
  'oauth2SecurityScheme',
  'openIdConnectSecurityScheme',
  'mtlsSecurityScheme',
]

const inOwnNames = (value: unknown, names: readonly string[]): unknown =>
  isObject(value) ? withOwnNames(value, names) : value

function withOwnNames(owner: JsonObject, names: readonly string[]): JsonObject {
  const named: Record<string, unknown> = withoutAliases(owner, names)
  if (Object.keys(named).length === Object.keys(owner).length) return owner
  for (const [written, value] of Object.entries(owner)) {
    const name = names.find((one) => fold(one) === fold(written))
    if (name !== undefined && name !== written && value !== null) named[name] = together(named[name], value)
  }
  return named
}

/** What a field says that is there under two names. */
function together(own: unknown, alias: unknown): unknown {
  if (own === undefined || own === null) return alias
  if (Array.isArray(own) && Array.isArray(alias)) {
    return JSON.stringify(own) === JSON.stringify(alias) ? own : [...asList(own), ...asList(alias)]
  }
  return isObject(own) && isObject(alias) ? { ...alias, ...own } : own
}

/** Upper case first: it also folds the letters outside ASCII that Go takes for s and k. */
function fold(name: string): string {
  return name.replaceAll('_', '').toUpperCase().toLowerCase()
}
