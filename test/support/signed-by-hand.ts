import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/* Codes, proofs and HTTP/1.1, written from docs/wire.md alone: nothing of src is used. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const salt = 'a2a-totp/proof/v1'

function bytesOf(base32: string): Buffer {
  let bits = ''
  for (const letter of base32) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2)))
}

export function codeAt(seed: string, seconds: number, digits = 6, period = 30, hash = 'sha1'): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / period)))
  const mac = createHmac(hash, bytesOf(seed)).update(counter).digest()
  const offset = (mac[mac.length - 1] ?? 0) & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0')
}

const hkdf = (seed: string, info: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', bytesOf(seed), salt, info, length))

export const sha256 = (content: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(content).digest('base64')}:`

export type Fields = Record<string, string>

export interface Call {
  readonly method?: string
  readonly target?: string
  readonly fields?: Fields
  readonly body?: string
  readonly seed: string
  readonly token: string
  readonly agent: string
  readonly code?: string
  readonly created?: number
  readonly lifetime?: number
  readonly nonce?: string
  readonly label?: string
}

export interface HandSigned {
  readonly method: string
  readonly target: string
  readonly fields: Fields
  readonly body: string
}

/** A request with token, code and proof. */
export function signByHand(call: Call): HandSigned {
  const { method = 'POST', target = '/a2a', body = '{"hello":1}', seed, token, agent } = call
  const { created = Math.floor(Date.now() / 1000), lifetime = 60, label = 'a2a-totp' } = call
  const nonce = call.nonce ?? randomBytes(16).toString('base64url')
  const fields: Fields = {
    authorization: `Bearer ${token}`,
    'x-totp': call.code ?? codeAt(seed, created),
    'content-digest': sha256(body),
    ...call.fields,
  }
  const query = target.indexOf('?')
  const values: Fields = {
    '@method': method,
    '@path': query < 0 ? target : target.slice(0, query),
    '@query': query < 0 ? '?' : target.slice(query),
    ...fields,
  }
  const names = ['@method', '@path', '@query', 'content-digest', 'authorization', 'x-totp']
  for (const name of ['content-type', 'a2a-version', 'a2a-extensions']) if (name in fields) names.push(name)
  const keyid = `${agent}/${hkdf(seed, `kid ${agent}`, 6).toString('base64url')}`
  const parameters =
    `(${names.map((name) => `"${name}"`).join(' ')});created=${created};expires=${created + lifetime}` +
    `;nonce="${nonce}";keyid="${keyid}";tag="${salt}"`
  const base = [
    ...names.map((name) => `"${name}": ${values[name] ?? ''}`),
    `"@signature-params": ${parameters}`,
  ]
  const mac = createHmac('sha256', hkdf(seed, `mac ${agent}`, 32))
    .update(base.join('\n'))
    .digest('base64')
  return {
    method,
    target,
    body,
    fields: { ...fields, 'signature-input': `${label}=${parameters}`, signature: `${label}=:${mac}:` },
  }
}

export interface RawAnswer {
  readonly status: number
  /** Field lines, as they came. */
  readonly lines: readonly string[]
  readonly body: string
}

/** Sends a request over a connection of its own. */
export function send(port: number, { method, target, fields, body }: HandSigned): Promise<RawAnswer> {
  return new Promise((done, fail) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
      const length = body === '' && method !== 'POST' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
      socket.write(
        `${method} ${target} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n${head.join('')}${length}\r\n${body}`,
      )
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', (error) => (text === '' ? fail(error) : undefined))
    socket.on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n')
      const [first = '', ...lines] = head.split('\r\n')
      done({ status: Number(first.split(' ')[1] ?? 0), lines, body: rest.join('\r\n\r\n') })
    })
  })
}
