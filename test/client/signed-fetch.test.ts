import { openAsBlob, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { totpFetch, type TOTPClientAuthSchemeOptions } from '../../src/client/index.js'
import { makeFolder } from '../support/cli.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { agentName, signedServer, type SignedServer } from '../support/signed-agent.js'

let clock: FakeClock
beforeEach(() => {
  clock = new FakeClock()
})

async function serving(...[options]: [Parameters<typeof signedServer>[1]?]): Promise<SignedServer> {
  const server = await signedServer(clock, options)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

/** As an agent that requires proofs is called. */
const signing = (options: Partial<TOTPClientAuthSchemeOptions> = {}) =>
  totpFetch(schemeOn(clock, { agent: agentName, ...options }))

const coveredBy = (input: string) =>
  Array.from(/\((.*?)\)/.exec(input)?.[1]?.matchAll(/"(.*?)"/g) ?? []).map(([, name]) => name)
const verdicts = ({ arrived }: SignedServer) => arrived.map(({ verdict }) => verdict)

const stream = () => new Blob(['streamed']).stream()

const form = () => {
  const data = new FormData()
  data.append('name', 'value')
  data.append('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt')
  return data
}

describe('a signed fetch sends the bytes that it signed', () => {
  it.each<[string, () => RequestInit, RegExp | undefined]>([
    ['text', () => ({ body: 'grüße 🎉' }), /^text\/plain;charset=utf-8$/i],
    [
      'text with a type of its own',
      () => ({ body: '{}', headers: { 'Content-Type': 'application/json' } }),
      /^application\/json$/,
    ],
    ['half a surrogate pair', () => ({ body: 'a\ud800b' }), /^text\/plain/],
    ['bytes', () => ({ body: new Uint8Array([0, 255, 10]) }), undefined],
    ['a part of a buffer', () => ({ body: new Uint8Array([1, 2, 3, 4]).subarray(1, 3) }), undefined],
    ['an ArrayBuffer', () => ({ body: new Uint8Array([1, 2]).buffer }), undefined],
    [
      'a form in a URL',
      () => ({ body: new URLSearchParams({ a: 'b c' }) }),
      /^application\/x-www-form-urlencoded;charset=utf-8$/i,
    ],
    ['a form', () => ({ body: form() }), /^multipart\/form-data; boundary=/],
    ['a Blob', () => ({ body: new Blob(['{}'], { type: 'application/json' }) }), /^application\/json$/],
    ['a Blob without a type', () => ({ body: new Blob(['x']) }), undefined],
    ['empty text', () => ({ body: '' }), /^text\/plain/],
    ['nothing', () => ({}), undefined],
  ])('of %s, with the content type', async (_name, init, type) => {
    const server = await serving()
    const response = await signing()(`${server.origin}/jsonrpc`, { method: 'POST', ...init() })
    expect(response.status).toBe(200)
    expect(verdicts(server)).toEqual(['signed'])
    const sent = server.arrived[0]
    expect(sent?.header('content-type')).toMatch(type ?? /^$/)
    const covered = coveredBy(sent?.header('signature-input') ?? '')
    expect(covered).toEqual([
      '@method',
      '@path',
      '@query',
      'content-digest',
      'authorization',
      'x-totp',
      ...(type ? ['content-type'] : []),
    ])
  })

  it('of a file', async () => {
    const server = await serving()
    const path = join(makeFolder(), 'body.bin')
    writeFileSync(path, Buffer.alloc(300_000, 7))
    await signing()(server.origin, { method: 'POST', body: await openAsBlob(path) })
    expect(verdicts(server)).toEqual(['signed'])
    expect(server.arrived[0]?.body).toHaveLength(300_000)
  })

  it('even if the caller changes them meanwhile', async () => {
    const server = await serving()
    const body = new Uint8Array([1, 2, 3])
    const sending = signing()(server.origin, { method: 'POST', body })
    body.fill(9)
    await sending
    expect(verdicts(server)).toEqual(['signed'])
    expect([...(server.arrived[0]?.body ?? [])]).toEqual([1, 2, 3])
  })

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'PATCH', 'post', 'delete', 'get'])(
    'for %s',
    async (method) => {
      const server = await serving()
      await signing()(server.origin, { method })
      expect(verdicts(server)).toEqual(['signed'])
    },
  )

  it.each(['/a%2Fb?x=1&y=%20', '/a?', '/a#fragment', '/a?#', '/', '', "/q?a='b'&c=|", '/ü?ü=ö', '/a/../b?x'])(
    'to %j',
    async (path) => {
      const server = await serving()
      await signing()(server.origin + path)
      expect(verdicts(server)).toEqual(['signed'])
    },
  )

  it('with the headers of A2A, whatever their spelling', async () => {
    const server = await serving()
    const headers = { 'A2A-Version': ' 1.0 ', 'a2a-EXTENSIONS': 'urn:a, urn:b', 'X-Other': 'o' }
    await signing()(server.origin, { headers })
    expect(verdicts(server)).toEqual(['signed'])
    const covered = coveredBy(server.arrived[0]?.header('signature-input') ?? '')
    expect(covered.slice(-2)).toEqual(['a2a-version', 'a2a-extensions'])
  })

  it('through the fetch that it was given', async () => {
    const server = await serving()
    const given: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init)
    const fetch = totpFetch(schemeOn(clock, { agent: agentName }), { fetch: given })
    expect((await fetch(server.origin, { method: 'POST', body: form() })).status).toBe(200)
    expect(verdicts(server)).toEqual(['signed'])
  })

  it('in a Request without a body', async () => {
    const server = await serving()
    await signing()(new Request(server.origin, { headers: { 'a2a-version': '1.0' } }))
    expect(verdicts(server)).toEqual(['signed'])
  })

  it('in place of fields of a proof that the caller set', async () => {
    const server = await serving()
    const headers = {
      Signature: 'mine=:AA==:',
      'signature-input': 'mine=()',
      'Content-DIGEST': 'sha-256=:AA==:',
    }
    await signing()(server.origin, { method: 'POST', body: 'x', headers })
    expect(verdicts(server)).toEqual(['signed'])
  })

  it('for as long as the window allows, if it is known', async () => {
    const lives = async (profile: TOTPClientAuthSchemeOptions['profile']) => {
      const server = await serving()
      await signing({ ...(profile && { profile }) })(server.origin)
      const [, created, expires] =
        /created=(\d+);expires=(\d+)/.exec(server.arrived[0]?.header('signature-input') ?? '') ?? []
      return Number(expires) - Number(created)
    }
    expect(await lives(undefined)).toBe(30)
    expect(await lives({ window: 0 })).toBe(30)
    expect(await lives({ window: 1 })).toBe(60)
    expect(await lives({ window: 2 })).toBe(90)
  })
})

describe('a stream', () => {
  const bodies: Record<string, (origin: string) => [string | Request, RequestInit]> = {
    'of a stream': (origin) => [origin, { method: 'POST', body: stream(), duplex: 'half' }],
    'of a DELETE': (origin) => [origin, { method: 'DELETE', body: stream(), duplex: 'half' }],
    'in a Request': (origin) => [new Request(origin, { method: 'POST', body: 'x' }), {}],
  }
  it.each(Object.entries(bodies))('is sent unsigned by auto (%s)', async (_name, make) => {
    const server = await serving({ signed: 'accept' })
    const response = await signing()(...make(server.origin))
    expect(response.status).toBe(200)
    expect(verdicts(server)).toEqual(['code'])
  })

  it.each(Object.entries(bodies))(
    'is not sent by always, nor where proofs are required (%s)',
    async (_name, make) => {
      const server = await serving({ signed: 'accept' })
      for (const options of [{ sign: 'always' }, { signed: 'require' }] as const) {
        await expect(signing(options)(...make(server.origin))).rejects.toMatchObject({
          code: 'ERR_CANNOT_SIGN',
        })
      }
      expect(server.arrived).toEqual([])
    },
  )
})

it.each<[string, Record<string, string>]>([
  ['a Content-Encoding', { 'content-encoding': 'identity' }],
  ['a value that is no printable ASCII', { 'a2a-extensions': 'urn:\u00fc' }],
])('a request with %s is unsigned by auto, and not sent by always', async (_name, headers) => {
  const server = await serving({ signed: 'accept' })
  await signing()(server.origin, { headers })
  expect(verdicts(server)).toEqual(['code'])
  await expect(signing({ sign: 'always' })(server.origin, { headers })).rejects.toMatchObject({
    code: 'ERR_CANNOT_SIGN',
  })
  expect(server.arrived).toHaveLength(1)
})

it('never signs none, and leaves the request as the caller made it', async () => {
  const server = await serving({ signed: 'off' })
  const headers = { signature: 'mine=:AA==:', 'signature-input': 'mine=()' }
  await signing({ sign: 'never' })(server.origin, { method: 'POST', body: 'x', headers })
  expect(verdicts(server)).toEqual(['code'])
  expect(server.arrived[0]?.header('signature')).toBe('mine=:AA==:')
  expect(server.arrived[0]?.header('content-digest')).toBe('')
})

it('an agent that knows no proofs serves signed requests', async () => {
  const server = await serving({ signed: 'off' })
  const response = await signing()(server.origin, { method: 'POST', body: '{}' })
  expect(response.status).toBe(200)
  expect(verdicts(server)).toEqual(['code'])
  expect(server.arrived[0]?.header('signature')).toMatch(/^a2a-totp=:/)
})

it('a redirect on the same origin is signed afresh, with the method that follows', async () => {
  const server = await serving({
    answer: ({ target, method }, response) => {
      const next: Record<string, [number, string]> = {
        '/first': [307, '/second?x=1#part'],
        '/second?x=1': [303, '/third'],
      }
      const [code, location] = next[target] ?? []
      if (code !== undefined) response.writeHead(code, { location }).end()
      else response.end(method)
    },
  })
  const response = await signing()(`${server.origin}/first`, { method: 'POST', body: form() })
  expect(await response.text()).toBe('GET')
  expect(verdicts(server)).toEqual(['signed', 'signed', 'signed'])
  expect(server.arrived.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET'])
  expect(server.arrived[1]?.body.equals(server.arrived[0]?.body ?? Buffer.alloc(0))).toBe(true)
  expect(new Set(server.arrived.map(({ header }) => header('signature'))).size).toBe(3)
})

describe('under policy once', () => {
  const many = (fetch: typeof globalThis.fetch, { origin }: SignedServer) =>
    Promise.all(Array.from({ length: 20 }, () => fetch(`${origin}/rpc`, { method: 'POST', body: '{}' })))

  it.each(['accept', 'require'] as const)(
    'signed requests share a step where the policy is %s',
    async (signed) => {
      const server = await serving({ signed, replay: 'once' })
      const waits: unknown[] = []
      const fetch = signing({ replay: 'once', signed, onWait: (wait) => waits.push(wait) })
      const responses = await many(fetch, server)
      expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
      expect(new Set(server.arrived.map(({ header }) => header('x-totp'))).size).toBe(1)
      expect(waits).toEqual([])
    },
  )

  it.each(['off', 'observe', undefined] as const)('they queue where it is %s', async (signed) => {
    const server = await serving({ signed: 'off', replay: 'once' })
    const fetch = signing({ replay: 'once', maxWaitMs: 1e6, ...(signed && { signed }) })
    for (let count = 0; count < 3; count++) await fetch(server.origin, { method: 'POST', body: '{}' })
    expect(verdicts(server)).toEqual(['code', 'code', 'code'])
    expect(new Set(server.arrived.map(({ header }) => header('x-totp'))).size).toBe(3)
  })

  it('a request without a proof takes a later step than the signed ones before it', async () => {
    const server = await serving({ signed: 'accept', replay: 'once' })
    const fetch = signing({ replay: 'once', signed: 'accept' })
    await fetch(server.origin)
    await fetch(server.origin, { method: 'POST', body: stream(), duplex: 'half' })
    await fetch(server.origin)
    expect(verdicts(server)).toEqual(['signed', 'code', 'signed'])
  })
})

describe('after a 401 whose step ended on the way', () => {
  /** The clock moves on, so that the code is too old when it arrives, and another one would be right. */
  const late = async (signed: 'off' | 'require') => {
    let visits = 0
    return serving({ signed, onArrival: () => visits++ === 0 && clock.advance(65) })
  }
  const rpc = (method: string): RequestInit => ({
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method }),
  })

  it.each<[string, string, RequestInit]>([
    ...['SendMessage', 'SendStreamingMessage', 'message/send', 'message/stream'].map(
      (name): [string, string, RequestInit] => [name, '/jsonrpc', rpc(name)],
    ),
    ...['/v1/message:send', '/message:stream', '/message%3Asend'].map(
      (path): [string, string, RequestInit] => [path, path, rpc('GetTask')],
    ),
    ['a batch', '/jsonrpc', { method: 'POST', body: `[${JSON.stringify({ method: 'GetTask' })}]` }],
    ['a POST that is not JSON', '/', { method: 'POST', body: 'x' }],
    ['a PUT', '/', { method: 'PUT', body: 'x' }],
  ])('a signed request that may send is not repeated: %s', async (_name, path, init) => {
    const server = await late('require')
    const response = await signing()(server.origin + path, init)
    expect(response.status).toBe(401)
    expect(server.arrived).toHaveLength(1)
  })

  it.each<[string, string, RequestInit]>([
    ['GetTask', '/jsonrpc', rpc('GetTask')],
    ['tasks/get', '/jsonrpc', rpc('tasks/get')],
    ['the card', '/.well-known/agent-card.json', {}],
    ['a GET', '/v1/tasks/1', {}],
  ])('a read is repeated once, with a fresh proof: %s', async (_name, path, init) => {
    const server = await late('require')
    const response = await signing()(server.origin + path, init)
    expect(response.status).toBe(200)
    expect(server.arrived.map(({ verdict }) => verdict)).toEqual(['proof-stale', 'signed'])
  })

  it('a send without a proof is repeated as before', async () => {
    const server = await late('off')
    expect((await signing({ sign: 'never' })(server.origin, rpc('SendMessage'))).status).toBe(200)
    expect(server.arrived).toHaveLength(2)
  })
})

it('a 503 of an agent that has just started is returned', async () => {
  const server = await serving({
    answer: (_request, response) => response.writeHead(503, { 'Retry-After': '1' }).end(),
  })
  const response = await signing()(server.origin)
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect(server.arrived).toHaveLength(1)
})

describe('warnings, once each', () => {
  const warned = async (
    options: Partial<TOTPClientAuthSchemeOptions>,
    init: () => RequestInit,
    server: SignedServer,
  ) => {
    const warnings: string[] = []
    const scheme = schemeOn(clock, { onWarning: (message) => warnings.push(message), ...options })
    const fetch = totpFetch(scheme)
    const statuses = [
      (await fetch(server.origin, init())).status,
      (await fetch(server.origin, init())).status,
    ]
    return { warnings, statuses, scheme }
  }
  const post = () => ({ method: 'POST', body: '{}' })

  it.each<[string, Partial<TOTPClientAuthSchemeOptions>, () => RequestInit, RegExp]>([
    ['no name', {}, post, /pass the agent's name/],
    ['sign: never', { agent: agentName, sign: 'never' }, post, /set sign: 'auto'/],
    [
      'a stream',
      { agent: agentName },
      () => ({ method: 'POST', body: stream(), duplex: 'half' }),
      /text or bytes/,
    ],
  ])(
    'say what to do where a proof is required and there was none: %s',
    async (_name, options, init, remedy) => {
      const { warnings, statuses } = await warned(options, init, await serving())
      expect(statuses).toEqual([401, 401])
      expect(warnings).toEqual([expect.stringMatching(remedy)])
      expect(warnings[0]).toContain('requires signed')
    },
  )

  it('say nothing of that for a signed request that is refused, and it stays signed', async () => {
    const server = await serving()
    const { warnings, statuses } = await warned({ agent: 'another' }, post, server)
    expect(statuses).toEqual([401, 401])
    expect(warnings).toEqual([])
    expect(verdicts(server)).toEqual(['proof-key', 'proof-key'])
  })

  it('name an agent that counts the codes of signed requests, although its policy is said to be accept', async () => {
    const server = await serving({ signed: 'off', replay: 'once' })
    const { warnings, scheme } = await warned(
      { agent: agentName, signed: 'accept', replay: 'once' },
      post,
      server,
    )
    expect(warnings).toEqual([expect.stringMatching(/does not use proofs, although signed is accept/)])
    expect(scheme.signs).toBe(true)
    expect(server.arrived.every(({ header }) => header('signature') !== '')).toBe(true)
  })

  it('name the option replay to a signing client that lacks it', async () => {
    const server = await serving({ signed: 'off', replay: 'once' })
    const { warnings } = await warned({ agent: agentName }, post, server)
    expect(warnings).toEqual([expect.stringMatching(/also that of a signed request; set replay: 'once'/)])
  })
})
