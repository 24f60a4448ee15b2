import { randomBytes } from 'node:crypto'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { longestLife, type Binding } from '../../src/core/proof/profile.js'
import type { ProofFields } from '../../src/core/proof/proof-fields.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { defaultProfile } from '../../src/core/profile.js'
import type { Seed } from '../../src/core/seed.js'

/** The agent that signed requests of tests are for. */
export const agent = 'billing'

/** A request with its token and its code, and who signs it. */
export interface ToSign {
  readonly seed: Seed
  readonly agent?: string
  readonly binding?: Binding
  readonly method?: string
  readonly target?: string
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly at: Date
  /** In seconds, from `at`. */
  readonly created?: number
  /** In seconds. */
  readonly life?: number
  /** Random by default. */
  readonly nonce?: Uint8Array
}

/** Returns the fields of a proof, as our own signer makes it; `proofs.ts` has a signer that is independent of it. */
export function proofOf(given: ToSign): ProofFields {
  const { seed, binding = 'http', method = 'POST', target = '/a2a', body = '' } = given
  const lines = new Map(Object.entries(given.headers).map(([name, value]) => [name.toLowerCase(), value]))
  const created = Math.floor(given.at.getTime() / 1000) + (given.created ?? 0)
  const { fields } = signRequest(
    { binding, method, target, header: (name) => [lines.get(name) ?? []].flat() },
    {
      key: new ProofKey(seed, given.agent ?? agent),
      header: defaultProfile.header,
      digest: digestOf(binding, Buffer.from(body)),
      created,
      expires: created + (given.life ?? longestLife(defaultProfile)),
      nonce: given.nonce ?? randomBytes(16),
    },
  )
  return fields
}
