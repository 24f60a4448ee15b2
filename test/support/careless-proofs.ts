import { signatureBase } from '../../src/core/proof/base.js'
import { parseDictionary, type Item, type Member } from '../../src/core/proof/dictionary.js'
import { parseContentDigest } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import type { SignedRequest } from '../../src/core/proof/profile.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { linesOf } from '../../src/core/proof/fields.js'
import type { Attempt, State } from '../../src/state/state.js'
import { alice } from './probing.js'
import { agentName, type Carelessness } from './signing-agent.js'

/** What a careless verifier overlooks. */
interface Oversight {
  /** Parts of a request that a proof need not cover. */
  readonly coverage?: readonly string[]
  /** Whether `created` and `expires` are looked at. */
  readonly time?: true
  /** Whether the name of the agent is taken from the proof. */
  readonly agent?: true
  /** Whether the MAC is looked at, once the proof names the right key. */
  readonly mac?: true
}

/**
 * A verifier that overlooks something: it verifies a proof as it sees it, and hands a proper one for the same request, with
 * the same nonce, to the one that overlooks nothing.
 */
export const overlooking =
  (oversight: Oversight): NonNullable<Carelessness['before']> =>
  (request, at) => {
    const lines = (name: string): readonly string[] => linesOf(request, name)
    const member = parseDictionary(lines('signature-input'))?.[0]
    const mac = parseDictionary(lines('signature'))?.[0]?.value
    const digest = parseContentDigest(lines('content-digest'))
    if (!member || !mac || !('kind' in mac) || !digest || 'kind' in member.value) return request
    const covered = member.value.map((item: Item) => String(item.value.value))
    const text = (key: string): string => String(parameterOf(member, key))
    const agent = oversight.agent ? (text('keyid').split('/')[0] ?? '') : agentName
    const key = new ProofKey(alice.seed, agent)
    const signed = { ...request, header: lines }
    const expected = key.mac(signatureBase(signed, covered, member.text)).toString('base64')
    if (key.keyid !== text('keyid') || (!oversight.mac && expected !== mac.value)) return request

    const missing = missingIn(signed, covered)
    if (missing.some((name) => !oversight.coverage?.includes(name))) return request
    const [created, expires] = [Number(text('created')), Number(text('expires'))]
    const now = Math.floor(at.getTime() / 1000)
    const proper = signRequest(signed, {
      ...{ key: new ProofKey(alice.seed, agentName), header: 'x-totp', digest },
      ...(oversight.time ? { created: now, expires: now + 60 } : { created, expires }),
      nonce: Buffer.from(text('nonce'), 'base64url'),
    }).fields
    const fields: Readonly<Record<string, string>> = proper
    return { ...request, header: (name) => (name in fields ? [fields[name] ?? ''] : lines(name)) }
  }

const parameterOf = ({ parameters }: Member, key: string): unknown =>
  parameters.find((one) => one.key === key)?.value.value

function missingIn(request: SignedRequest, covered: readonly string[]): string[] {
  const wanted = ['@method', '@path', '@query', 'content-digest', 'authorization', 'x-totp']
  const present = ['content-type', 'a2a-version', 'a2a-extensions'].filter(
    (name) => !(name === 'content-type' && request.binding === 'grpc') && request.header(name).length > 0,
  )
  return [...wanted, ...present].filter((name) => !covered.includes(name))
}

/** A state that decides differently about proofs. */
const deciding =
  (decide: (attempt: Attempt, usual: State['decide']) => ReturnType<State['decide']>) =>
  (state: State): State => {
    const changed = Object.create(state) as { decide: State['decide'] }
    changed.decide = (attempt) => decide(attempt, (one) => state.decide(one))
    return changed as State
  }

let nonces = 0

/** Takes each nonce for a new one. */
export const forgettingNonces = deciding((attempt, usual) =>
  usual(
    attempt.proof
      ? { ...attempt, proof: { ...attempt.proof, nonce: `another-nonce-000${nonces++}` } }
      : attempt,
  ),
)

/** Claims the nonce of a signed request, and spends no code. */
export const claimingNoncesAlone = (state: State): State => {
  const spent = new Set<string>()
  return deciding((attempt, usual) => {
    const { proof } = attempt
    if (!proof) return usual(attempt)
    const isSpent = spent.has(proof.nonce)
    spent.add(proof.nonce)
    return isSpent ? { kind: 'replayed' } : { kind: 'accepted' }
  })(state)
}
