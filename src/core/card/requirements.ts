import { asList, asObject, asText, isObject } from '../json.js'
import { inOwnSpelling } from './aliases.js'
import type { CardJson } from './shapes.js'

/** One alternative that a card accepts: the names of the schemes that it requires together. */
export interface Requirement {
  /** The id, name or position of the skill that it belongs to; undefined for the card as a whole. */
  readonly skill?: string
  readonly schemes: readonly string[]
}

/** Reads every alternative that a card accepts: its own, then those of its skills. */
export function readRequirements(given: CardJson): Requirement[] {
  const card = inOwnSpelling(given)
  return [
    ...alternativesOf(card).map((schemes) => ({ schemes })),
    ...asList(card['skills']).flatMap((skill, index) => {
      const { id, name } = asObject(skill)
      const named = asText(id) || asText(name) || String(index + 1)
      return alternativesOf(asObject(skill)).map((schemes) => ({ skill: named, schemes }))
    }),
  ]
}

/** Reads the `{schemes: {…}}` of 1.0 and the bare map of 0.3, in either field. */
function alternativesOf(owner: CardJson): string[][] {
  return [...asList(owner['securityRequirements']), ...asList(owner['security'])].map((requirement) => {
    const { schemes } = asObject(requirement)
    return Object.keys(isObject(schemes) ? schemes : asObject(requirement))
  })
}
