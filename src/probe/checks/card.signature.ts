import type { Evidence } from '../run/evidence.js'
import { parseCardKeys } from '../target/card-keys.js'
import { isSigned } from '../../core/card/signatures.js'
import { verifyCard } from '../target/card-signatures.js'
import type { RunCheck } from './check.js'
import { noCard } from './shared/card-scheme.js'
import { failed, passed, skipped, type Verdict } from './verdict.js'

export const cardSignature: RunCheck = {
  id: 'card.signature',
  scope: 'run',
  proves: 'a signed card verifies with a key that you trust',
  expects: 'a signature that a key of --card-jwks verifies',
  withoutCalls: true,
  judge: judgeSignature,
  means:
    'The card is signed (A2A 1.0, 8.4), and no signature of it verifies with a key of `--card-jwks FILE`: the card was changed after it was signed, it was signed with another key, or its signatures are malformed. Clients that verify cards refuse it, and the interfaces in it may not be those of the agent. An unsigned card, and a run without `--card-jwks`, are skipped. Keys that the card itself points to (`jku`) are not fetched: a forged card would point to its own.',
  fix: [
    'Sign the card again after each change, as the last step: `signCard` of `a2a-totp/server/card`.',
    'A proxy that rewrites URLs in the card breaks its signatures: sign it with the public URLs.',
    'After a change of keys, give the new public keys: a JSON Web Key Set, a list of keys or one key.',
  ],
}

/** Whether each signed card has a signature that one of the given keys verifies. */
function judgeSignature({ discovery: { cards }, options: { cardKeys } }: Evidence): Verdict {
  if (cards.length === 0) return noCard
  const signed = cards.filter(isSigned)
  if (signed.length === 0) return { ...skipped('the card is not signed'), actual: 'not signed' }
  if (cardKeys === undefined) {
    return {
      ...skipped('the card is signed, and no key to verify it is given; see --card-jwks'),
      actual: 'signed',
    }
  }
  const keys = parseCardKeys(cardKeys)
  const verdicts = signed.map((card) => verifyCard(card, keys))
  const reasons = verdicts.flatMap((verdict) => (verdict?.verified === false ? verdict.reasons : []))
  if (reasons.length > 0) return failed('no signature verifies', [...new Set(reasons)].join('; '))
  const good = verdicts.filter((verdict) => verdict?.verified === true)
  const by = good.map(({ alg, kid }) => (kid === '' ? alg : `${alg}, key ${kid}`))
  const remarks = [
    ...(signed.length < cards.length ? ['the card for clients of one version is not signed'] : []),
    ...(good.some(({ covers }) => covers === 'no requirements')
      ? ['signed in the form of the SDKs, which does not cover which schemes the card demands']
      : []),
  ]
  return passed(`verified (${[...new Set(by)].join('; ')})`, remarks.join('; '))
}
