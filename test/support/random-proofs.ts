import type { Binding } from '../../src/core/proof/profile.js'
import { Seed } from '../../src/core/seed.js'
import type { Lines } from './proofs.js'

/** A request that is to be signed, and what both sides know. */
export interface Unsigned {
  readonly seed: Seed
  readonly agent: string
  readonly header: string
  readonly period: number
  readonly window: number
  readonly created: number
  readonly nonce: Buffer
  readonly binding: Binding
  readonly method: string
  readonly target: string
  readonly headers: Lines
  readonly body: Buffer
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Requests that every HTTP library takes as they are. */
export function randomUnsigned(random: (limit: number) => number, created: number): Unsigned {
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
  const text = (alphabet: string, least: number, most: number): string =>
    Array.from({ length: least + random(most - least + 1) }, () =>
      alphabet.charAt(random(alphabet.length)),
    ).join('')
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)))
  const binding = pick(['http', 'http', 'http', 'grpc'] as const)
  const header = pick(['X-TOTP', 'x-second-factor'])
  const path = `/${text(`${letters}-_~!$&'()*+,;=:@`, 1, 20)}/%2F${text(letters, 0, 9)}`
  const query = `?${text(`${letters}=&+%20;?/`.replace('%20', ''), 1, 30)}`
  const values = [`${text(letters, 1, 12)}/${text(letters, 1, 5)}; q="a,  b"`, '1.0', 'urn:a, urn:b', '']
  const optional = ['Content-Type', 'A2A-Version', 'A2A-Extensions'].flatMap((name) =>
    Array.from({ length: pick([0, 1, 1, 2]) }, (): [string, string] => [name, pick(values)]),
  )
  return {
    seed: Seed.fromBytes(bytes(16 + random(49))),
    agent: text(`${letters}._-`.slice(0, 62), 1, 64),
    header,
    period: pick([10, 30, 60, 120]),
    window: random(3),
    created,
    nonce: bytes(16 + random(33)),
    binding,
    method: binding === 'grpc' ? 'POST' : pick(['GET', 'POST', 'DELETE', 'PUT']),
    target:
      binding === 'grpc' ? `/a.v1.${text(letters, 1, 9)}/${text(letters, 1, 9)}` : path + pick(['', query]),
    headers: [
      ['Authorization', `Bearer ${text(letters, 20, 60)}`],
      [header, text('0123456789', 6, 8)],
      ...optional,
    ],
    body: bytes(random(200)),
  }
}
