import { asList, asObject, isObject, type JsonObject } from '../json.js'
import { inOwnSpelling } from './aliases.js'
import { schemesOf } from './schemes.js'
import { requirementShapes, type CardJson } from './shapes.js'

/** A card without what its callers need not send, and what is left. */
export interface Satisfied {
  readonly card: CardJson
  /** The names of schemes that are still demanded, of the card or a skill; each once. */
  readonly left: readonly string[]
}

/**
 * Removes the schemes that somebody else satisfies for the callers of a card: from every alternative of the card and its
 * skills, and from `securitySchemes`. Where an alternative demands nothing more, nothing is demanded.
 */
export function withoutSatisfied(given: CardJson, satisfies: (scheme: unknown) => boolean): Satisfied {
  const card = inOwnSpelling(given)
  const names = new Set(
    Object.entries(schemesOf(card)).flatMap(([name, scheme]) => (satisfies(scheme) ? [name] : [])),
  )
  const left = new Set<string>()
  const relaxed = (owner: JsonObject): JsonObject =>
    Object.values(requirementShapes).reduce(
      (result, { field }) => withoutNames(result, field, names, left),
      owner,
    )
  const { securitySchemes, ...others } = relaxed(card)
  const kept = Object.entries(asObject(securitySchemes)).filter(([name]) => !names.has(name))
  const schemes = names.size === 0 ? securitySchemes : kept.length > 0 ? Object.fromEntries(kept) : undefined
  return {
    card: {
      ...others,
      ...(schemes !== undefined && { securitySchemes: schemes }),
      ...(Array.isArray(card['skills']) && {
        skills: card['skills'].map((skill: unknown) => (isObject(skill) ? relaxed(skill) : skill)),
      }),
    },
    left: [...left],
  }
}

/** Either field may have alternatives in either shape, as in `readRequirements`. */
function withoutNames(
  owner: JsonObject,
  field: string,
  names: ReadonlySet<string>,
  left: Set<string>,
): JsonObject {
  const { [field]: given, ...others } = owner
  if (!Array.isArray(given) || given.length === 0) return owner
  const without = (schemes: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(schemes).filter(([name]) => !names.has(name)))
  const alternatives = asList(given).map((alternative) => {
    if (!isObject(alternative)) return { written: alternative, schemes: undefined }
    const { schemes } = alternative
    if (!isObject(schemes)) return { written: without(alternative), schemes: without(alternative) }
    return { written: { ...alternative, schemes: without(schemes) }, schemes: without(schemes) }
  })
  const demanded = alternatives.map(({ schemes }) => schemes && Object.keys(schemes))
  if (demanded.some((one) => one?.length === 0)) return others
  for (const one of demanded.flat()) if (one !== undefined) left.add(one)
  return { ...others, [field]: alternatives.map(({ written }) => written) }
}
