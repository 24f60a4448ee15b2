import { isBearerScheme, isHeaderScheme, type CardJson } from '../../core/card/security.js'
import { passed, warned, type Verdict } from '../report/report.js'
import { asList, asObject, asText } from '../wire/text.js'

/** One alternative that a card accepts: the names of the schemes that it wants together. */
interface Alternative {
  readonly where: string
  readonly schemes: readonly string[]
}

/** Whether every card declares HTTP bearer. */
export function judgeBearerScheme(cards: readonly CardJson[]): Verdict {
  return judgeScheme(cards, isBearerScheme, 'an HTTP bearer scheme')
}

/** Whether every card declares the header of the code. */
export function judgeTotpScheme(cards: readonly CardJson[], header: string): Verdict {
  return judgeScheme(
    cards,
    (scheme) => isHeaderScheme(scheme, header),
    `an apiKey scheme in the header ${header}`,
  )
}

function judgeScheme(cards: readonly CardJson[], isIt: (scheme: unknown) => boolean, what: string): Verdict {
  const lacking = cards.some((card) => namesOf(card, isIt).size === 0)
  return lacking
    ? warned('not declared', `the card should declare ${what}; see \`a2a-totp config card\``)
    : passed('declared')
}

/** Whether no alternative of any card does without one of the two. */
export function judgeAnd(cards: readonly CardJson[], header: string): Verdict {
  for (const card of cards) {
    const bearers = namesOf(card, isBearerScheme)
    const headers = namesOf(card, (scheme) => isHeaderScheme(scheme, header))
    const alternatives = alternativesOf(card)
    if (!alternatives.some(({ where }) => where === 'the card')) {
      return warned(
        'no requirement',
        'the card declares no security requirement: it says that anyone may call',
      )
    }
    for (const { where, schemes } of alternatives) {
      if (schemes.length === 0)
        return warned(`${where}: an empty requirement`, 'it says that anyone may call')
      const hasBearer = schemes.some((name) => bearers.has(name))
      const hasHeader = schemes.some((name) => headers.has(name))
      if (hasBearer && hasHeader) continue
      const missing = hasBearer ? header : hasHeader ? 'bearer' : `bearer and ${header}`
      return warned(
        `${where}: an alternative without ${missing}`,
        'requirements are alternatives: each must demand both factors; see `a2a-totp config card --merge`',
      )
    }
  }
  return passed('both, in every requirement')
}

/** The headers in which a card wants API keys. */
export function totpHeadersOf(card: CardJson): string[] {
  return Object.values(asObject(card['securitySchemes'])).flatMap((scheme) => {
    const object = asObject(scheme)
    const name = asText(asObject(object['apiKeySecurityScheme'])['name']) || asText(object['name'])
    return name !== '' && isHeaderScheme(scheme, name) ? [name] : []
  })
}

function namesOf(card: CardJson, isIt: (scheme: unknown) => boolean): ReadonlySet<string> {
  const schemes = Object.entries(asObject(card['securitySchemes']))
  return new Set(schemes.filter(([, scheme]) => isIt(scheme)).map(([name]) => name))
}

function alternativesOf(card: CardJson): Alternative[] {
  return [
    ...requirementsOf(card, 'the card'),
    ...asList(card['skills']).flatMap((skill, index) => {
      const { id, name } = asObject(skill)
      return requirementsOf(asObject(skill), `skill ${asText(id) || asText(name) || String(index + 1)}`)
    }),
  ]
}

/** Reads 1.0's `{schemes: {…}}` and 0.3's bare map, in either field. */
function requirementsOf(owner: CardJson, where: string): Alternative[] {
  return [...asList(owner['securityRequirements']), ...asList(owner['security'])].map((requirement) => {
    const object = asObject(requirement)
    const wrapped = object['schemes']
    const map = typeof wrapped === 'object' && !Array.isArray(wrapped) ? asObject(wrapped) : object
    return { where, schemes: Object.keys(map) }
  })
}
