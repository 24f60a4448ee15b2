import { kindOfScheme } from '../../core/card/schemes.js'
import type { RunCheck } from './check.js'
import { judgeScheme } from './shared/card-scheme.js'

export const cardBearer: RunCheck = {
  id: 'card.bearer',
  scope: 'run',
  proves: 'the card declares bearer',
  expects: 'a scheme of bearer tokens: HTTP bearer, OAuth 2 or OpenID Connect',
  withoutCalls: true,
  judge: ({ discovery, options }) =>
    judgeScheme(
      discovery.cards,
      (scheme) => kindOfScheme(scheme, options.credentials.header) === 'bearer',
      'an HTTP bearer scheme',
    ),
  means: 'A client that reads the card does not learn that it needs a bearer token.',
  fix: [
    '`a2a-totp config card --merge CARD.json` prints the complete card.',
    "@a2a-js/sdk: use `withTotpSecurity(card)`; the SDK's own `agentCardHandler` writes security schemes in a form that clients cannot read.",
  ],
}
