import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { hybridCard } from '../../../src/core/card/hybrid.js'
import { withTotpSecurity } from '../../../src/core/card/security.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { defaultProfile } from '../../../src/core/profile.js'
import { makeStore, startBinary } from '../../support/cli.js'
import { listening } from '../../support/listening.js'
import { firstLineOf } from '../../support/python.js'
import { addressesIn } from '../../support/random-cards.js'
import { saidBy } from '../../support/stacks.js'

const cardPath = '/.well-known/agent-card.json'
const at = (url: string, protocolBinding = 'JSONRPC', protocolVersion = '1.0') => ({
  url,
  protocolBinding,
  protocolVersion,
})
const basics = {
  ...{ name: 'x', description: 'x', version: '1', capabilities: {}, skills: [] },
  ...{ defaultInputModes: [], defaultOutputModes: [] },
}
const newer = { 'A2A-Version': '1.0' }
const signatures = [{ protected: 'e30', signature: 'c2ln' }]

/** Starts an agent with a card, and a sidecar in front of it. */
async function serve(
  command: 'gate' | 'proxy',
  card: (origin: string) => CardJson | Buffer,
  ...options: string[]
) {
  const cwd = await makeStore(['alice'])
  let content: CardJson | Buffer = {}
  let asked = 0
  const server = await listening(
    createServer((request, response) => {
      asked += 1
      const isCard = request.url === cardPath
      response.writeHead(isCard ? 200 : 404, Buffer.isBuffer(content) ? { 'Content-Encoding': 'gzip' } : {})
      response.end(Buffer.isBuffer(content) ? content : JSON.stringify(content))
    }),
  )
  const agent = `http://127.0.0.1:${server.port}`
  content = card(agent)
  const place = command === 'gate' ? ['--upstream', agent] : [agent, 'alice']
  const child = startBinary(['--json', command, ...place, '--listen', '127.0.0.1:0', ...options], { cwd })
  const said = saidBy(child, /signatures|left out/)
  said.catch(() => undefined)
  const { listeners } = JSON.parse(await firstLineOf(child)) as { listeners: { url: string }[] }
  const { origin } = new URL(listeners[0]?.url ?? '')
  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(origin + cardPath, { method, headers })
  const read = async (headers?: Record<string, string>) => (await (await ask(headers)).json()) as CardJson
  const close = async () => {
    child.kill('SIGKILL')
    await server[Symbol.asyncDispose]()
  }
  return { agent, origin, ask, read, said, asked: () => asked, [Symbol.asyncDispose]: close }
}

/** The card, for a request with a Host field of its own. */
async function askedAs(host: string, url: string): Promise<CardJson> {
  const request = get(url, { headers: { ...newer, Host: host } })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  return (await json(answer)) as CardJson
}

const demanding = (card: CardJson) => withTotpSecurity(card, { profile: defaultProfile, signed: 'accept' })
describe.each(['proxy', 'gate'] as const)('the card that %s serves', (command) => {
  it('names it in place of the agent, in every shape', async () => {
    const of10 = (origin: string): CardJson => ({
      ...basics,
      supportedInterfaces: [
        at(`${origin}/rpc`),
        at('/rest', 'HTTP+JSON'),
        at(`${origin}/old`, 'JSONRPC', '0.3'),
      ],
    })
    const of03 = (origin: string): CardJson => ({
      ...basics,
      ...{ protocolVersion: '0.3.0', url: `${origin}/rpc`, preferredTransport: 'JSONRPC' },
      additionalInterfaces: [{ url: `${origin}/rest`, transport: 'HTTP+JSON' }],
    })
    for (const shape of [of10, of03, (origin: string) => hybridCard(demanding(of10(origin)))]) {
      await using sidecar = await serve(command, shape)
      for (const headers of [newer, {}]) {
        const card = await sidecar.read(headers)
        expect(addressesIn(card).length).toBeGreaterThan(1)
        for (const url of addressesIn(card)) expect(url).toMatch(new RegExp(`^${sidecar.origin}/`))
        const demanded = JSON.stringify(card).match(/X-TOTP|urn:a2a-totp:v1/g) ?? []
        expect(demanded.length > 0).toBe(command === 'gate')
      }
    }
  })

  it('is without its signatures, which is logged', async () => {
    await using sidecar = await serve(command, (origin) => ({
      ...basics,
      supportedInterfaces: [at(`${origin}/rpc`)],
      signatures,
    }))
    expect(await sidecar.read(newer)).not.toHaveProperty('signatures')
    await sidecar.said
  })

  it('can be kept by clients', async () => {
    await using sidecar = await serve(command, (origin) => ({
      ...basics,
      supportedInterfaces: [at(`${origin}/rpc`)],
    }))
    const { headers } = await sidecar.ask(newer)
    const etag = headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[\w-]+"$/)
    expect(headers.get('cache-control')).toMatch(/max-age=\d+/)
    const since = headers.get('last-modified') ?? ''
    expect(Date.parse(since)).toBeGreaterThan(Date.now() - 60_000)
    expect((await sidecar.ask({ ...newer, 'If-None-Match': etag })).status).toBe(304)
    expect((await sidecar.ask({ ...newer, 'If-Modified-Since': since })).status).toBe(304)
    const head = await sidecar.ask(newer, 'HEAD')
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag])
  })

  it('is read though it is compressed, and refused where it is there to do harm', async () => {
    const packed = (card: string) => () => gzipSync(card)
    await using good = await serve(
      command,
      packed(JSON.stringify({ ...basics, supportedInterfaces: [at('/rpc')] })),
    )
    expect(addressesIn(await good.read(newer))).toEqual([`${good.origin}/rpc`])
    for (const bad of [
      `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`,
      JSON.stringify('x'.repeat(2 ** 21)),
      '[]',
      'text',
    ]) {
      await using sidecar = await serve(command, packed(bad))
      expect((await sidecar.ask(newer)).status).toBe(502)
      expect(sidecar.asked()).toBeLessThan(4)
    }
  })
})

describe('the card that proxy serves', () => {
  it('is without interfaces elsewhere, unless they are allowed', async () => {
    const card = (origin: string): CardJson => ({
      ...basics,
      supportedInterfaces: [
        at('https://agent.other.example/rpc'),
        at(`${origin}/rpc`),
        at('http://127.0.0.1:1/rest', 'HTTP+JSON'),
      ],
      url: 'https://agent.other.example/old',
    })
    await using sidecar = await serve('proxy', card)
    expect(addressesIn(await sidecar.read(newer))).toEqual([`${sidecar.origin}/rpc`])
    await sidecar.said
    await using allowing = await serve(
      'proxy',
      card,
      '--allow-host',
      'agent.other.example',
      '--allow-host',
      '127.0.0.1:1',
    )
    expect(addressesIn(await allowing.read(newer)).sort()).toEqual(
      ['old', 'rest'].map((path) => `${allowing.origin}/${path}`).concat(`${allowing.origin}/rpc`),
    )
  })

  it('demands what it demanded, with --card-security keep', async () => {
    const card = (origin: string): CardJson =>
      demanding({ ...basics, supportedInterfaces: [at(`${origin}/rpc`)] })
    await using sidecar = await serve('proxy', card, '--card-security', 'keep')
    const { securityRequirements, capabilities } = card('')
    expect(await sidecar.read(newer)).toMatchObject({ securityRequirements, capabilities })
  })
})

describe('the card that gate serves', () => {
  const card = (origin: string): CardJson => ({
    ...basics,
    supportedInterfaces: [at(`${origin}/rpc`)],
    signatures,
  })

  it('names the public URL, and no Host that a stranger sends', async () => {
    await using sidecar = await serve('gate', card, '--public-url', 'https://agent.example/billing')
    expect(addressesIn(await sidecar.read(newer))).toEqual(['https://agent.example/billing/rpc'])
    await using other = await serve('gate', card)
    const { port } = new URL(other.origin)
    const named = async (host: string) => addressesIn(await askedAs(host, other.origin + cardPath))
    expect(await named(`localhost:${port}`)).toEqual([`http://localhost:${port}/rpc`])
    expect(await named('evil.example')).toEqual(['/rpc'])
  })

  it('is what the agent serves, with --card pass', async () => {
    await using sidecar = await serve('gate', card, '--card', 'pass')
    expect(await sidecar.read(newer)).toEqual(card(sidecar.agent))
  })
})
