import { createHash, createHmac, hkdfSync } from 'node:crypto'
import type { Binding, SignedRequest } from '../../src/core/proof/profile.js'
import { Seed } from '../../src/core/seed.js'

/** A signer written anew from docs/wire.md, which also signs what no client should. */

export const proofNow = 1_795_460_417
export const proofSeed = Seed.fromBase32('ZLWB7MXUZEY3Q4UFAIATM4A6QKSDN4YX')
export const proofOptions = {
  seeds: [proofSeed],
  agent: 'billing',
  header: 'X-TOTP',
  period: 30,
  window: 1,
  now: proofNow,
}

export type Lines = readonly (readonly [name: string, value: string])[]

/** A request as a server sees it. */
export interface ForgedRequest {
  readonly binding: Binding
  readonly method: string
  readonly target: string
  readonly headers: Lines
  readonly body: Uint8Array
}

/** What is unusual about a request; the rest is a right one. */
export interface Forgery {
  readonly seed?: Seed
  readonly agent?: string
  readonly binding?: Binding
  readonly method?: string
  readonly target?: string
  /** Added to Authorization and X-TOTP. */
  readonly headers?: Lines
  /** In place of Authorization and X-TOTP. */
  readonly credentials?: Lines
  readonly body?: string
  /** Lines of Content-Digest, given the right value. */
  readonly digest?: (value: string) => readonly string[]
  /** The names whose values are signed, in order. Default: those of the profile. */
  readonly names?: readonly string[]
  /** The inner list as written. Default: the names in quotes. */
  readonly list?: string
  readonly parameters?: string
  /** Lines of the two fields, given what belongs there. */
  readonly input?: (member: string) => readonly string[]
  readonly signature?: (mac: string) => readonly string[]
}

export const rightParameters = [
  `created=${proofNow - 2}`,
  `expires=${proofNow + 58}`,
  'nonce="QcGD9-jrJhlATWa5iK0_6A"',
  'keyid="billing/43wWxVif"',
  'tag="a2a-totp/proof/v1"',
]

const credentials: Lines = [
  ['Authorization', 'Bearer a2at_vector-token-of-alice'],
  ['X-TOTP', '459876'],
]
const always = ['@method', '@path', '@query', 'content-digest', 'authorization', 'x-totp']

const valueOf = (lines: Lines, name: string): string | undefined => {
  const values = lines.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : []))
  return values.length === 0
    ? undefined
    : values.map((value) => value.replace(/^[ \t]+|[ \t]+$/g, '')).join(', ')
}

/** Signs a request as the forgery says, with a right MAC over whatever it is. */
export function forge(forgery: Forgery = {}): ForgedRequest {
  const { seed = proofSeed, agent = 'billing', binding = 'http', method = 'POST', target = '/a2a' } = forgery
  const body = Buffer.from(forgery.body ?? '{"id":7}')
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(body.length, 1)
  const hash = createHash('sha256').update(binding === 'grpc' ? Buffer.concat([prefix, body]) : body)
  const digest = `sha-256=:${hash.digest('base64')}:`
  const digests = (forgery.digest?.(digest) ?? [digest]).map((line) => ['Content-Digest', line] as const)
  const headers: Lines = [...(forgery.headers ?? []), ...(forgery.credentials ?? credentials), ...digests]

  const optional = [...(binding === 'grpc' ? [] : ['content-type']), 'a2a-version', 'a2a-extensions']
  const names = forgery.names ?? [
    ...always,
    ...optional.filter((name) => valueOf(headers, name) !== undefined),
  ]
  const list = forgery.list ?? `(${names.map((name) => `"${name}"`).join(' ')})`
  const member = `${list};${forgery.parameters ?? rightParameters.join(';')}`
  const [path = '', query] = target.split(/\?(.*)/s)
  const derived: Record<string, string> = { '@method': method, '@path': path, '@query': `?${query ?? ''}` }
  const lines = names.map((name) => `"${name}": ${derived[name] ?? valueOf(headers, name) ?? ''}`)
  const base = [...lines, `"@signature-params": ${member}`].join('\n')
  const key = Buffer.from(hkdfSync('sha256', seed.bytes, 'a2a-totp/proof/v1', `mac ${agent}`, 32))
  const mac = createHmac('sha256', key).update(base).digest('base64')
  const inputs = forgery.input?.(member) ?? [`a2a-totp=${member}`]
  const signatures = forgery.signature?.(mac) ?? [`a2a-totp=:${mac}:`]
  return {
    binding,
    method,
    target,
    headers: [
      ...headers,
      ...inputs.map((line) => ['Signature-Input', line] as const),
      ...signatures.map((line) => ['Signature', line] as const),
    ],
    body,
  }
}

/** The same as the core sees it. Its fields are sorted out once: fuzz asks for them a million times. */
export function seenAs({ binding, method, target, headers }: ForgedRequest): SignedRequest {
  const lines = new Map<string, string[]>()
  for (const [field, value] of headers) {
    const name = field.toLowerCase()
    const before = lines.get(name)
    if (before) before.push(value)
    else lines.set(name, [value])
  }
  return { binding, method, target, header: (name) => lines.get(name) ?? [] }
}

/** The request with the lines of a field replaced. */
export function withField(request: ForgedRequest, name: string, lines: readonly string[]): ForgedRequest {
  const others = request.headers.filter(([field]) => field.toLowerCase() !== name.toLowerCase())
  return { ...request, headers: [...others, ...lines.map((line) => [name, line] as const)] }
}
