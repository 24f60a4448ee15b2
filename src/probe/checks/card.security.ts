import type { RunCheck } from './check.js'
import type { Evidence } from '../run/evidence.js'
import { judgeAnd, judgeBearerScheme, judgeTotpScheme } from './card.js'
import { skipped, type Verdict } from './verdict.js'

export const cardBearer: RunCheck = {
  id: 'card.bearer',
  scope: 'run',
  proves: 'the card declares bearer',
  expects: 'an HTTP bearer scheme',
  withoutCalls: true,
  judge: withCard(({ discovery }) => judgeBearerScheme(discovery.cards)),
  means: 'A client that reads the card does not learn that it needs a bearer token.',
  fix: [
    '`a2a-totp config card --merge CARD.json` prints the complete card.',
    "@a2a-js/sdk: use `withTotpSecurity(card)`; the SDK's own `agentCardHandler` writes security schemes in a form that clients cannot read.",
  ],
}

export const cardTotp: RunCheck = {
  id: 'card.totp',
  scope: 'run',
  proves: 'the card declares the header of the code',
  expects: 'an apiKey scheme in the header',
  withoutCalls: true,
  judge: withCard(({ discovery, options }) => judgeTotpScheme(discovery.cards, options.credentials.header)),
  means: 'A client that reads the card does not learn that it needs the header with the code.',
  fix: [
    'Declare an apiKey scheme in the header: `a2a-totp config card --merge CARD.json`.',
    'Its name must be the header that the guard reads; see `--header` of `a2a-totp init`.',
  ],
}

export const cardAnd: RunCheck = {
  id: 'card.and',
  scope: 'run',
  proves: 'the card demands both factors in every requirement',
  expects: 'bearer AND the header in every requirement',
  withoutCalls: true,
  judge: withCard(({ discovery, options }) => judgeAnd(discovery.cards, options.credentials.header)),
  means:
    'Security requirements are alternatives: a client has to meet only one of them. An alternative with bearer alone, or an empty one, makes the second factor optional. Requirements of skills count too.',
  fix: [
    'Put both names into one requirement: `{"bearer": [], "totp": []}` in 0.3, `{"schemes": {"bearer": {}, "totp": {}}}` in 1.0.',
    '`a2a-totp config card --merge CARD.json` adds the second factor to every alternative that has bearer.',
  ],
}

function withCard(judge: RunCheck['judge']): (evidence: Evidence) => Verdict {
  return (evidence) => (evidence.discovery.cards.length === 0 ? skipped('there is no card') : judge(evidence))
}
