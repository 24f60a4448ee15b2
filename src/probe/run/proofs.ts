import type { CardJson } from '../../core/card/shapes.js'
import { demandsProof } from '../../core/proof/demand.js'
import { ProofKey } from '../../core/proof/key.js'
import { longestLife, usesProofs, type SignedPolicy } from '../../core/proof/profile.js'
import { nonceBytes } from '../../core/proof/proof-fields.js'
import type { Proof } from '../bindings/proving.js'
import type { ProbeOptions } from '../options.js'
import type { FieldLine } from '../wire/raw-answer.js'
import {
  policyOf,
  type FaultyTime,
  type FixedProof,
  type ProofKnowledge,
  type Signing,
} from './proof-knowledge.js'

/** What is signed, and with whose seed. */
interface ToSign {
  readonly fields: readonly FieldLine[]
  readonly signing?: Signing
  readonly by?: 'other-peer'
}

type Owner = ProbeOptions['credentials'] | NonNullable<ProbeOptions['otherPeer']>

/** Makes the proofs of a run. */
export class Proofs implements ProofKnowledge {
  readonly #options: Pick<ProbeOptions, 'credentials' | 'otherPeer' | 'now' | 'random'>
  readonly #keys = new Map<string, ProofKey>()
  #advertised: SignedPolicy | undefined

  constructor(options: Pick<ProbeOptions, 'credentials' | 'otherPeer' | 'now' | 'random'>) {
    this.#options = options
  }

  get policy(): SignedPolicy | undefined {
    return this.#options.credentials.signed ?? this.#advertised
  }

  get isAdvertised(): boolean {
    return this.#options.credentials.signed === undefined && this.#advertised !== undefined
  }

  get canSign(): boolean {
    const { agent } = this.#options.credentials
    return agent !== undefined && agent !== ''
  }

  /** Whether a proof changes what is decided, and can be made. */
  get matter(): boolean {
    return this.policy !== undefined && usesProofs(this.policy) && this.canSign
  }

  /** Whether no request is let in without a proof. */
  get requires(): boolean {
    return this.matter && this.policy === 'require'
  }

  /** Takes what a card advertises for the policy, where none is known. */
  learnFromCards(cards: readonly CardJson[]): void {
    // A challenge is the word of what decides.
    this.#advertised ??= cards.map(policyOf).find((policy) => policy !== undefined)
  }

  /** Takes the challenge of a refusal for the policy: it is the word of what decides. */
  learnFromChallenges(challenges: readonly string[]): void {
    if (challenges.some(demandsProof)) this.#advertised = 'require'
  }

  /** A proof to use for one request, or for the same one twice. */
  fixed(): FixedProof {
    const { credentials, now, random } = this.#options
    const created = Math.floor(now().getTime() / 1000)
    return { nonce: random(nonceBytes), created, expires: created + longestLife(credentials) }
  }

  /** The proof of a request; undefined if it is sent without. Where all are signed, so is whatever has token and code. */
  for({ fields, signing, by }: ToSign): Proof | undefined {
    const { credentials, otherPeer } = this.#options
    const owner = by === 'other-peer' ? otherPeer : credentials
    if (!owner || !this.canSign || signing === 'none') return undefined
    if (signing === undefined && !(this.#mustSign(by) && carriesBoth(fields, credentials.header)))
      return undefined
    const { fault = {}, fixed = this.fixed() } = typeof signing === 'object' ? signing : {}
    return {
      ...{ header: credentials.header.toLowerCase(), key: this.#keyOf(owner), ...fixed },
      ...(fault.time && this.#timesOf(fault.time)),
      ...(fault.key && this.#otherKey(owner, fault.key === 'renamed')),
      ...((fault.madeFor ?? fault.uncovered) && { misfit: fault }),
    }
  }

  #mustSign(by: ToSign['by']): boolean {
    const { otherPeer } = this.#options
    return by === 'other-peer' && otherPeer?.signed !== undefined
      ? usesProofs(otherPeer.signed)
      : this.requires
  }

  #otherKey(owner: Owner, renamed: boolean): Pick<Proof, 'key' | 'keyid'> {
    const key = this.#keyOf(owner, `${this.#options.credentials.agent ?? ''}-other`)
    return { key, ...(renamed && { keyid: this.#keyOf(owner).keyid }) }
  }

  #timesOf(time: FaultyTime): Pick<Proof, 'created' | 'expires'> {
    const { credentials, now } = this.#options
    const at = Math.floor(now().getTime() / 1000)
    const life = longestLife(credentials)
    // Beyond any clock difference that the probe calls usable.
    const far = Math.max(farOff, 5 * life)
    if (time === 'long') return { created: at, expires: at + day }
    const created = Math.max(0, time === 'past' ? at - far : at + far)
    return { created, expires: created + life }
  }

  #keyOf({ seed }: Owner, agent = this.#options.credentials.agent ?? ''): ProofKey {
    const name = `${seed.base32} ${agent}`
    const key = this.#keys.get(name) ?? new ProofKey(seed, agent)
    this.#keys.set(name, key)
    return key
  }
}

/** In seconds. */
const farOff = 600
const day = 86_400

function carriesBoth(fields: readonly FieldLine[], header: string): boolean {
  const names = fields.map(([name]) => name.toLowerCase())
  return names.includes('authorization') && names.includes(header.toLowerCase())
}
