import { createServer } from 'node:http'
import { connect } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { callerOf, totpGuard } from '../../src/server/node.js'
import { makeFolder } from '../support/cli.js'
import { listening, type Listening } from '../support/listening.js'
import { describeWith, firstLineOf, pythonTests, startPython } from '../support/python.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

const { own } = vectors.files
const seed = Seed.fromBase32(own.peers.alice.seeds[0]?.seed ?? '')
const bearer = 'Bearer a2at_vector-token-of-alice'

type Lines = readonly (readonly [name: string, value: string])[]

interface Odd {
  readonly method?: string
  readonly target?: string
  readonly fields?: Lines
  readonly body?: string
}

const codeNow = (): string => generateCodeOfStep(seed, own.profile as never, Math.floor(Date.now() / 30_000))
const both = (): Lines => [
  ['Authorization', bearer],
  ['X-TOTP', codeNow()],
]

/** A proof of a request, sent with another one where `sent` says so. */
function signed(odd: Odd = {}, sent: Odd = {}): Odd {
  const { method = 'POST', target = '/a2a?x=%2F', body = '{}', fields = both() } = odd
  const { fields: proof } = signRequest(
    {
      binding: 'http',
      method,
      target,
      header: (name) => fields.flatMap(([field, value]) => (field.toLowerCase() === name ? [value] : [])),
    },
    {
      key: new ProofKey(seed, own.agent),
      header: 'X-TOTP',
      digest: digestOf('http', Buffer.from(body)),
      created: Math.floor(Date.now() / 1000),
      expires: Math.floor(Date.now() / 1000) + 60,
      nonce: crypto.getRandomValues(new Uint8Array(16)),
    },
  )
  return { method, target, body, fields: [...fields, ...Object.entries(proof)], ...sent }
}

const card = '/.well-known/agent-card.json'
const post = (...fields: Lines): Odd => ({ fields, body: '{}' })

/** Requests that both servers hand on as they are, by what is odd about them. */
const requests: Readonly<Record<string, () => Odd>> = {
  'both factors': () => post(...both()),
  nothing: () => post(),
  'a token alone': () => post(['Authorization', bearer]),
  'a code alone': () => post(['X-TOTP', codeNow()]),
  'a wrong code': () => post(['Authorization', bearer], ['X-TOTP', '000000']),
  'an unknown token': () => post(['Authorization', 'Bearer a2at_nobody'], ['X-TOTP', codeNow()]),
  'two tokens': () => post(['authorization', bearer], ...both()),
  'two equal codes': () => post(...both(), ['x-totp', codeNow()]),
  'a code and an empty one': () => post(...both(), ['X-TOTP', '']),
  'an empty Authorization': () => post(['Authorization', ''], ['X-TOTP', codeNow()]),
  'a joined token': () => post(['Authorization', `${bearer}, ${bearer}`], ['X-TOTP', codeNow()]),
  'a joined code': () => post(['Authorization', bearer], ['X-TOTP', `${codeNow()}, ${codeNow()}`]),
  'another scheme': () => post(['Authorization', 'Basic YTpi'], ['X-TOTP', codeNow()]),
  'names in other cases': () => post(['AUTHORIZATION', bearer], ['x-ToTp', codeNow()]),
  'a scheme in lower case': () => post(['Authorization', bearer.replace('B', 'b')], ['X-TOTP', codeNow()]),
  'spaces around a code': () => post(['Authorization', bearer], ['X-TOTP', `  ${codeNow()}\t`]),
  'a tab after Bearer': () => post(['Authorization', bearer.replace(' ', '\t')], ['X-TOTP', codeNow()]),
  'latin-1 in a token': () => post(['Authorization', `${bearer}\xe9`], ['X-TOTP', codeNow()]),
  'latin-1 in a code': () => post(['Authorization', bearer], ['X-TOTP', '\xb9\xb2\xb3456']),
  'UTF-8 in another field': () => post(...both(), ['X-Other', '\xd0\x96']),
  'a token of 8,000 letters': () =>
    post(['Authorization', `Bearer ${'a'.repeat(8000)}`], ['X-TOTP', codeNow()]),
  'a code of 8,000 digits': () => post(['Authorization', bearer], ['X-TOTP', '1'.repeat(8000)]),
  'an underscore for the dash': () => post(['Authorization', bearer], ['X_TOTP', codeNow()]),
  'a HEAD': () => ({ method: 'HEAD' }),
  'a HEAD with both factors': () => ({ method: 'HEAD', fields: both() }),
  'a GET': () => ({ method: 'GET' }),
  'a GET with both factors': () => ({ method: 'GET', fields: both() }),
  'an OPTIONS': () => ({ method: 'OPTIONS', fields: [['Origin', 'https://a.example']] }),
  'a preflight of the card': () => ({ method: 'OPTIONS', target: card }),
  'a DELETE': () => ({ method: 'DELETE' }),
  'a PATCH': () => ({ method: 'PATCH', body: '{}' }),
  'a TRACE': () => ({ method: 'TRACE' }),
  'an asterisk': () => ({ method: 'OPTIONS', target: '*' }),
  'the card': () => ({ method: 'GET', target: card }),
  'the head of the card': () => ({ method: 'HEAD', target: card }),
  'the card with a query': () => ({ method: 'GET', target: `${card}?x=1` }),
  'the card by POST': () => ({ method: 'POST', target: card, body: '{}' }),
  'the card as a WebSocket': () => ({
    method: 'GET',
    target: card,
    fields: [
      ['Upgrade', 'WebSocket'],
      ['X-Other', 'x'],
    ],
  }),
  'the card, percent-encoded': () => ({ method: 'GET', target: '/.well-known%2Fagent-card.json' }),
  'the card, a letter of it encoded': () => ({ method: 'GET', target: '/.well-known/agent%2Dcard.json' }),
  'the card with a slash': () => ({ method: 'GET', target: `${card}/` }),
  'the card with two slashes': () => ({ method: 'GET', target: `/${card}` }),
  'the card with a dot segment': () => ({ method: 'GET', target: `/.${card}` }),
  'the card in upper case': () => ({ method: 'GET', target: card.toUpperCase() }),
  'the card with a semicolon': () => ({ method: 'GET', target: `${card};x` }),
  'a path below the card': () => ({ method: 'GET', target: `${card}/../../a2a` }),
  'a proof': () => signed(),
  'a proof without a body': () => signed({ method: 'GET', body: '' }),
  'a proof of an encoded path': () => signed({ target: '/a%2Fb/%C3%A9?y=%20&z' }),
  'a proof of an empty query': () => signed({ target: '/a?' }),
  'a proof of two slashes': () => signed({ target: '//a//b' }),
  'a proof of dots': () => signed({ target: '/a/../b/./c' }),
  'a proof of another path': () => signed({}, { target: '/a2a?x=/' }),
  'a proof of another body': () => signed({}, { body: '[]' }),
  'a proof of a longer body': () => signed({}, { body: '{} ' }),
  'a proof of another method': () => signed({}, { method: 'PUT' }),
  'a proof of a GET with a body': () => signed({ method: 'GET', body: '' }, { body: 'x' }),
  'half a proof': () => {
    const { fields = [], ...rest } = signed()
    return { ...rest, fields: fields.filter(([name]) => name !== 'signature') }
  },
}

/** What a server answers, without what is the server's own. */
interface Answer {
  readonly status: number
  readonly fields: readonly string[]
  readonly body: string
}

const ofTheServer = /^(date|connection|keep-alive|transfer-encoding|server):/

function ask(port: number, { method = 'POST', target = '/', fields = [], body = '' }: Odd): Promise<Answer> {
  const length: Lines = body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))]]
  const lines = [...fields, ...length].map(([name, value]) => `${name}: ${value}`)
  const head = [`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close']
  const text = [...head, ...lines, '', body].join('\r\n')
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', fail)
    socket.on('close', () => {
      const [start = '', ...rest] = Buffer.concat(chunks).toString('latin1').split('\r\n\r\n')
      const [status = '', ...names] = start.split('\r\n')
      const lower = names.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()))
      done({
        status: Number(status.split(' ')[1]),
        fields: lower.filter((line) => !ofTheServer.test(line)),
        body: rest.join('\r\n\r\n'),
      })
    })
  })
}

async function startNode(path: string): Promise<Listening> {
  const scheme = TOTPServerAuthScheme.fromFile(path, { onEvent: () => undefined })
  onTestFinished(() => scheme.close())
  const server = createServer(
    totpGuard(scheme, (req, res) => {
      let body = ''
      req.on('data', (chunk: Buffer) => (body += chunk.toString()))
      req.on('end', () => {
        const caller = callerOf(req)
        const shown = { caller: caller?.peer ?? 'nobody', proof: caller?.proof ?? null }
        const text = JSON.stringify({ ...shown, body })
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length })
        res.end(text)
      })
    }),
  )
  return listening(server)
}

describeWith('a2a-1', 'TypeScript’s guard and the middleware of Python', () => {
  for (const policy of ['accept', 'require'] as const) {
    it(`answer odd requests alike where proofs are: ${policy}`, async () => {
      const path = join(makeFolder(), 'server.json')
      const alice = { ...own.peers.alice, replay: 'reuse', signed: policy }
      const file = { ...own, requires: ['signed'], signed: policy, peers: { alice } }
      writeFileSync(path, JSON.stringify(file), { mode: 0o600 })
      await using node = await startNode(path)
      const python = startPython('a2a-1', [`${pythonTests}guarded_app.py`, path, ''])
      const port = JSON.parse(await firstLineOf(python)) as number
      const statuses = new Set<number>()
      for (const [name, make] of Object.entries(requests)) {
        // Each with a nonce of its own.
        const [here, there] = [await ask(node.port, make()), await ask(port, make())]
        expect(there, name).toEqual(here)
        statuses.add(here.status)
      }
      expect([...statuses].sort()).toEqual([200, 401])
    })
  }
})
