import { isHeaderScheme } from '../../core/card/schemes.js'
import type { RunCheck } from './check.js'
import { judgeScheme } from './shared/card-scheme.js'

export const cardTotp: RunCheck = {
  id: 'card.totp',
  scope: 'run',
  proves: 'the card declares the header of the code',
  expects: 'an apiKey scheme in the header',
  withoutCalls: true,
  judge: ({ discovery, options: { credentials } }) => {
    const isCode = (scheme: unknown): boolean => isHeaderScheme(scheme, credentials.header)
    return judgeScheme(discovery.cards, isCode, `an apiKey scheme in the header ${credentials.header}`)
  },
  means: 'A client that reads the card does not learn that it needs the header with the code.',
  fix: [
    'Declare an apiKey scheme in the header: `a2a-totp config card --merge CARD.json`.',
    'Its name must be the header that the guard reads; see `--header` of `a2a-totp init`.',
  ],
}
