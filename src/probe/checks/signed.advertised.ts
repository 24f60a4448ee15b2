import { printable } from '../../core/text.js'
import { readTotpExtension } from '../../core/card/extension.js'
import type { CardJson } from '../../core/card/shapes.js'
import { demandsProof } from '../../core/proof/demand.js'
import { proofTag, usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { triedIn, wasLetIn } from '../run/reading.js'
import { shortened } from '../wire/text.js'
import type { CellCheck } from './check.js'
import { failed, passed, skipped, warned, type Verdict } from './verdict.js'

export const signedAdvertised: CellCheck = {
  id: 'signed.advertised',
  scope: 'cell',
  proves: 'the agent says what it does with proofs',
  expects: 'card and challenge agree with the policy',
  needs: ['auth.none'],
  judge: judgeAdvertised,
  means:
    'What the agent advertises about proofs is not what it does, or its card and its challenges disagree. Clients read the extension `urn:a2a-totp:v1` of the card, and the challenge of a refusal, to explain why they are refused: a client that is not told has to guess. Where proofs are required, every 401 says `proof="required"` and carries Accept-Signature.',
  fix: [
    'Write the card with `withTotpSecurity(card, scheme)` or `totpAgentCard`, which take the policy from the scheme; `a2a-totp config card` prints the extension.',
    'Behind a gateway with a card or refusals of its own, change them there.',
    'The policy is that of the agent, never that of one peer.',
  ],
}

/** What the agent advertises, as far as this cell shows it. */
interface Advertised {
  /** The policies of the cards that have the extension, as they are written. */
  readonly byCards: readonly string[]
  /** How the refusals of the cell demand a proof: of those that do, and those that do not. */
  readonly demanding: number
  readonly silent: number
  /** Demanding ones without a proper Accept-Signature. */
  readonly incomplete: number
}

/** Whether card, challenge and the policy of the agent agree. */
function judgeAdvertised(cell: CellEvidence, { proofs, discovery, options }: Evidence): Verdict {
  const seen = advertisedIn(cell, discovery.cards)
  const own = options.credentials.signedByAgent
  const policy = proofs.policy
  const isBinding = [policy, own].some((one) => one !== undefined && usesProofs(one))
  if (seen.byCards.length === 0 && seen.demanding === 0) {
    if (!isBinding || (own !== undefined && !usesProofs(own))) return skipped(nothingSaid(own ?? policy))
    return failed('nothing', `proofs matter here (${own ?? policy ?? ''}), and the agent does not say so`)
  }
  const [problem] = problemsOf(seen, own)
  if (problem !== undefined) {
    // What the agent claims to require binds its clients, whatever the policy is here.
    const claims = seen.demanding > 0 || seen.byCards.some((one) => one === 'accept' || one === 'require')
    return (isBinding || (policy === undefined && claims) ? failed : warned)(inWords(seen), problem)
  }
  return passed(inWords(seen), seen.byCards.length === 0 ? 'the card does not say it' : '')
}

function advertisedIn(cell: CellEvidence, cards: readonly CardJson[]): Advertised {
  const refused = triedIn(cell).filter(
    ({ check, answer }) =>
      bare.has(check) &&
      answer.status === 401 &&
      answer.kind === 'refused' &&
      wasLetIn(answer, cell) === 'no' &&
      answer.challenges.some((value) => /\bTOTP\b/i.test(value)),
  )
  const demanding = refused.filter(({ answer }) => answer.challenges.some(demandsProof))
  return {
    byCards: cards.flatMap((card) => readTotpExtension(card)?.signed?.policy ?? []),
    demanding: demanding.length,
    silent: refused.length - demanding.length,
    incomplete: demanding.filter(({ answer }) => !(answer.acceptSignature ?? []).some(asksForOurs)).length,
  }
}

/** Refusals that something in front has no reason to write. */
const bare: ReadonlySet<string> = new Set([
  'auth.none',
  'auth.bearer-only',
  'auth.totp-only',
  'auth.wrong-token',
])

const asksForOurs = (value: string): boolean => value.includes(`tag="${proofTag}"`)

function problemsOf(seen: Advertised, own: SignedPolicy | undefined): string[] {
  const { byCards, demanding, silent, incomplete } = seen
  const [said] = byCards
  const requires = (own ?? said) === 'require'
  return [
    ...(byCards.some((one) => one !== said) ? ['the cards for A2A 1.0 and 0.3 disagree'] : []),
    ...(own !== undefined && said !== undefined && said !== own
      ? [`the policy of the agent is ${own}, and its card says ${quoted(said)}`]
      : []),
    ...(demanding > 0 && silent > 0 ? ['some refusals demand a proof, and others do not'] : []),
    ...(requires && demanding === 0 && silent > 0
      ? ['proofs are required, and the challenge of a refusal does not say proof="required"']
      : []),
    ...(!requires && demanding > 0 && (own ?? said) !== undefined
      ? [
          `the challenge says proof="required", and ${own === undefined ? 'the card says' : 'the policy of the agent is'} ${quoted(own ?? said ?? '')}`,
        ]
      : []),
    ...(incomplete > 0
      ? ['a refusal demands a proof without an Accept-Signature for this kind of proof']
      : []),
  ]
}

function inWords({ byCards, demanding, silent }: Advertised): string {
  const said = byCards[0] === undefined ? 'the card says nothing' : `the card says ${quoted(byCards[0])}`
  if (demanding + silent === 0) return said
  return `${said}, the challenge ${demanding > 0 ? 'demands a proof' : 'demands none'}`
}

/** As the agent wrote it. */
const quoted = (policy: string): string => shortened(printable(policy), 40)

function nothingSaid(policy: SignedPolicy | undefined): string {
  return policy === undefined
    ? 'the agent advertises nothing about proofs, and the policy is not known here'
    : `the policy is ${policy}, and the agent advertises nothing about proofs`
}
