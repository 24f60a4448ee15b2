import { readRequirements, type Requirement } from '../../core/card/requirements.js'
import { isBearerScheme, isHeaderScheme, schemeNames } from '../../core/card/schemes.js'
import type { CardJson } from '../../core/card/shapes.js'
import { passed, warned, type Verdict } from './verdict.js'

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
  const lacking = cards.some((card) => schemeNames(card, isIt).length === 0)
  return lacking
    ? warned('not declared', `the card should declare ${what}; see \`a2a-totp config card\``)
    : passed('declared')
}

/** Whether no alternative of any card does without one of the two. */
export function judgeAnd(cards: readonly CardJson[], header: string): Verdict {
  for (const card of cards) {
    const bearers = schemeNames(card, isBearerScheme)
    const headers = schemeNames(card, (scheme) => isHeaderScheme(scheme, header))
    const requirements = readRequirements(card)
    if (requirements.every(({ skill }) => skill !== undefined)) {
      return warned(
        'no requirement',
        'the card declares no security requirement: it says that anyone may call',
      )
    }
    for (const requirement of requirements) {
      const { schemes } = requirement
      if (schemes.length === 0)
        return warned(`${ownerOf(requirement)}: an empty requirement`, 'it says that anyone may call')
      const hasBearer = schemes.some((name) => bearers.includes(name))
      const hasHeader = schemes.some((name) => headers.includes(name))
      if (hasBearer && hasHeader) continue
      const missing = hasBearer ? header : hasHeader ? 'bearer' : `bearer and ${header}`
      return warned(
        `${ownerOf(requirement)}: an alternative without ${missing}`,
        'requirements are alternatives: each must demand both factors; see `a2a-totp config card --merge`',
      )
    }
  }
  return passed('both, in every requirement')
}

function ownerOf({ skill }: Requirement): string {
  return skill === undefined ? 'the card' : `skill ${skill}`
}
