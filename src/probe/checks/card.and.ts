import { asList } from '../../core/json.js'
import { readRequirements, type Requirement } from '../../core/card/requirements.js'
import { isHeaderScheme, kindOfScheme, schemeNames } from '../../core/card/schemes.js'
import { protocolVersions, requirementShapes, type CardJson } from '../../core/card/shapes.js'
import type { Evidence } from '../run/evidence.js'
import type { RunCheck } from './check.js'
import { noCard } from './shared/card-scheme.js'
import { passed, warned, type Verdict } from './verdict.js'

export const cardAnd: RunCheck = {
  id: 'card.and',
  scope: 'run',
  proves: 'the card demands both factors in every requirement',
  expects: 'bearer AND the header in every requirement',
  withoutCalls: true,
  judge: judgeAnd,
  means:
    'Security requirements are alternatives: a client has to meet only one of them. An alternative with bearer alone, or an empty one, makes the second factor optional. Requirements of skills count too.',
  fix: [
    'Put both names into one requirement: `{"bearer": [], "totp": []}` in 0.3, `{"schemes": {"bearer": {}, "totp": {}}}` in 1.0.',
    '`a2a-totp config card --merge CARD.json` adds the second factor to every alternative that has bearer.',
  ],
}

/** Whether every alternative of every card demands both factors. */
function judgeAnd({ discovery: { cards }, options }: Evidence): Verdict {
  if (cards.length === 0) return noCard
  const { header } = options.credentials
  for (const card of cards) {
    const bearers = schemeNames(card, (scheme) => kindOfScheme(scheme, header) === 'bearer')
    const headers = schemeNames(card, (scheme) => isHeaderScheme(scheme, header))
    const requirements = readRequirements(card)
    const empty = emptyFieldOf(card)
    if (requirements.every(({ skill }) => skill !== undefined)) {
      return warned(
        'no requirement',
        'the card declares no security requirement, so it allows anyone to call',
      )
    }
    if (empty !== undefined) {
      return warned(
        `${empty} is empty`,
        'clients of the version that reads this field learn that anyone may call',
      )
    }
    for (const requirement of requirements) {
      const { schemes } = requirement
      if (schemes.length === 0)
        return warned(`${ownerOf(requirement)}: an empty requirement`, 'it allows anyone to call')
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

/** The field of one version's requirements that demands nothing: a card for both versions has both. */
function emptyFieldOf(card: CardJson): string | undefined {
  return protocolVersions
    .map((version) => requirementShapes[version].field)
    .find((field) => field in card && card[field] !== null && asList(card[field]).length === 0)
}

function ownerOf({ skill }: Requirement): string {
  return skill === undefined ? 'the card' : `skill ${skill}`
}
