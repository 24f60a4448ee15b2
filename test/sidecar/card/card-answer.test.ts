import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { cardAnswer, cardContent, CardChanges, sendCard } from '../../../src/sidecar/card/card-answer.js'
import type { CardJson } from '../../../src/core/card/shapes.js'
import { listening } from '../../support/listening.js'

const card: CardJson = {
  name: 'x',
  supportedInterfaces: [
    { url: 'https://agent.example/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: 'https://agent.example/old', protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
  ],
}
const lastModified = new Date('2026-11-30T00:00:00.700Z')

/** A server that answers every request with the card. */
async function serve(options: { maxAge?: number; shared?: boolean } = {}) {
  const server = await listening(
    createServer((request, response) => {
      const asked = { method: request.method ?? '', fields: request.rawHeaders }
      sendCard(response, cardAnswer(cardContent(card, asked), asked, { lastModified, ...options }))
    }),
  )
  const get = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`http://127.0.0.1:${server.port}`, { method, headers })
  return { get, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const newer = { 'A2A-Version': '1.0' }

describe('the answer with a card', () => {
  it('can be kept, and says for how long and since when it is so', async () => {
    await using server = await serve()
    const answer = await server.get(newer)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=60',
      'last-modified': 'Mon, 30 Nov 2026 00:00:00 GMT',
      vary: 'A2A-Version',
      etag: expect.stringMatching(/^"[\w-]{22}"$/) as string,
    })
    expect(await answer.json()).toEqual(card)
    await using own = await serve({ maxAge: 5, shared: false })
    expect((await own.get()).headers.get('cache-control')).toBe('private, max-age=5')
  })

  it('is one that readers of 0.3 take, to a client that does not ask for 1.0', async () => {
    await using server = await serve()
    const [own, other] = [await server.get(newer), await server.get()]
    expect(await other.json()).toMatchObject({
      url: 'https://agent.example/old',
      preferredTransport: 'JSONRPC',
    })
    expect(other.headers.get('etag')).not.toBe(own.headers.get('etag'))
  })

  it('has no content for HEAD', async () => {
    await using server = await serve()
    const [whole, head] = [await server.get(newer), await server.get(newer, 'HEAD')]
    expect(await head.text()).toBe('')
    expect([head.status, head.headers.get('etag')]).toEqual([200, whole.headers.get('etag')])
    expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength))
  })

  it('is 304 to a client that has it, and only then', async () => {
    await using server = await serve()
    const etag = (await server.get(newer)).headers.get('etag') ?? ''
    const other = (await server.get()).headers.get('etag') ?? ''
    const day = (date: string) => new Date(date).toUTCString()
    const status = async (headers: Record<string, string>) =>
      (await server.get({ ...newer, ...headers })).status
    for (const tag of [etag, `W/${etag}`, '*', `"a,b", ${etag}`])
      expect(await status({ 'If-None-Match': tag })).toBe(304)
    for (const tag of [other, etag.slice(1, -1), '"*"'])
      expect(await status({ 'If-None-Match': tag })).toBe(200)
    expect(await status({ 'If-Modified-Since': day('2026-11-30T00:00:00Z') })).toBe(304)
    expect(await status({ 'If-Modified-Since': day('2026-11-29T23:59:59Z') })).toBe(200)
    expect(await status({ 'If-Modified-Since': 'yesterday' })).toBe(200)
    const both = { 'If-None-Match': other, 'If-Modified-Since': day('2027-01-01') }
    expect(await status(both)).toBe(200)
  })
})

describe('a request for a card', () => {
  const content = cardContent(card, { fields: [] })
  const statusFor = (...fields: string[]) =>
    cardAnswer(content, { method: 'GET', fields }, { lastModified }).status
  const { fields: answered } = cardAnswer(content, { method: 'GET', fields: [] }, { lastModified })
  const etag = answered[answered.indexOf('ETag') + 1] ?? ''
  const since = lastModified.toUTCString()

  it.each<[asked: string, whole: boolean]>([
    ['1.0', true],
    [' \t2', true],
    ['10', true],
    ['0.3', false],
    ['v1', false],
    ['-1', false],
    ['', false],
  ])('of version %j gets the card as it is: %s', (asked, whole) => {
    const sent = cardContent(card, { fields: ['a2a-version', asked] })
    expect(JSON.parse(Buffer.from(sent).toString())).toEqual(
      whole ? card : JSON.parse(Buffer.from(content).toString()),
    )
  })

  it('gets a card of 0.3 as it is, whatever the version', () => {
    const old: CardJson = { name: 'x', url: 'https://agent.example', protocolVersion: '0.3.0' }
    expect(Buffer.from(cardContent(old, { fields: [] })).toString()).toBe(JSON.stringify(old))
  })

  it('of HEAD gets an answer without content', () => {
    expect(cardAnswer(content, { method: 'HEAD', fields: [] }, { lastModified })).not.toHaveProperty(
      'content',
    )
    expect(cardAnswer(content, { method: 'GET', fields: [] }, { lastModified }).content).toBe(content)
  })

  it.each<[fields: string[], status: number]>([
    [['If-None-Match', '"x"', 'if-none-match', etag], 304],
    [['If-None-Match', '"', 'if-none-match', etag.slice(1)], 200],
    [['If-None-Match', ''], 200],
    [['If-None-Match', `"W/${etag.slice(1)}`], 200],
    [['If-Modified-Since', since], 304],
    [['If-Modified-Since', since, 'If-Modified-Since', since], 200],
  ])('with %j gets %i', (fields, status) => {
    expect(statusFor(...fields)).toBe(status)
  })
})

it('the answer with a card stays away from a client that has another one, or is gone', async () => {
  const answer = cardAnswer(
    cardContent(card, { fields: [] }),
    { method: 'GET', fields: [] },
    { lastModified },
  )
  await using server = await listening(
    createServer((request, response) => {
      if (request.url === '/gone') response.destroy()
      else response.writeHead(500).end('other')
      sendCard(response, answer)
    }),
  )
  const other = await fetch(`http://127.0.0.1:${server.port}`)
  expect([other.status, await other.text()]).toEqual([500, 'other'])
  await expect(fetch(`http://127.0.0.1:${server.port}/gone`)).rejects.toThrow('fetch failed')
})

describe('what is remembered of a card', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)

  it('is since when each variant is as it is', () => {
    const changes = new CardChanges()
    const [first, second] = [new Date(1000), new Date(2000)]
    expect(changes.since(bytes('a'), first)).toBe(first)
    expect(changes.since(bytes('b'), second)).toBe(second)
    expect(changes.since(bytes('a'), second)).toBe(first)
  })

  it('ends, for variants that nobody asks for', () => {
    const changes = new CardChanges()
    changes.since(bytes('a'), new Date(1000))
    changes.since(bytes('b'), new Date(1000))
    for (let n = 0; n < 15; n++) {
      changes.since(bytes(`${n}`), new Date(1000))
      changes.since(bytes('a'), new Date(1000))
    }
    expect(changes.since(bytes('a'), new Date(2000))).toEqual(new Date(1000))
    expect(changes.since(bytes('b'), new Date(2000))).toEqual(new Date(2000))
  })
})
