import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveAdmin, type AdminPages } from '../../src/service/admin.js'

const pages: AdminPages = {
  ready: () => undefined,
  metrics: () => 'a 1\n# EOF\n',
  status: () => ({ serial: 7 }),
}

async function start(given: Partial<AdminPages> = {}, host = '127.0.0.1'): Promise<string> {
  const listener = await serveAdmin({ host, port: 0 }, { ...pages, ...given })
  onTestFinished(() => listener.stop())
  return listener.address.replace('0.0.0.0', '127.0.0.1')
}

interface Got {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function ask(
  address: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Got> {
  return new Promise((done, fail) => {
    request(`http://${address}`, { path, method, headers, agent: false }, (response) => {
      const { statusCode: status, headers } = response
      void text(response).then((body) => done({ status, headers, body }))
    })
      .on('error', fail)
      .end()
  })
}

describe('the administrative listener', () => {
  it('answers health, readiness, metrics and status', async () => {
    const address = await start()
    expect(await ask(address, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
    expect(await ask(address, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' })
    const metrics = await ask(address, '/metrics')
    expect(metrics).toMatchObject({ status: 200, body: 'a 1\n# EOF\n' })
    expect(metrics.headers).toMatchObject({
      'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(await ask(address, '/status?pretty')).toMatchObject({ status: 200, body: '{"serial":7}\n' })
    expect(await ask(address, '/jwks.json')).toMatchObject({ status: 404 })
  })

  it('looks whether it is ready when it is asked, and drops the question where looking fails', async () => {
    let answer: () => Promise<string | undefined> = () => Promise.resolve(undefined)
    const address = await start({ ready: () => answer() })
    expect(await ask(address, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' })
    answer = () => Promise.resolve('Redis cannot be asked')
    expect(await ask(address, '/readyz')).toMatchObject({ status: 503, body: 'Redis cannot be asked\n' })
    answer = () => Promise.reject(new Error('no'))
    await expect(ask(address, '/readyz')).rejects.toThrow('socket hang up')
    expect(await ask(address, '/healthz')).toMatchObject({ status: 200 })
  })

  it('says why it is not ready, in one line, while it is healthy', async () => {
    const address = await start({ ready: () => 'no credentials\u001b[31m\nfor billing' })
    expect(await ask(address, '/readyz')).toMatchObject({
      status: 503,
      body: 'no credentials [31m for billing\n',
    })
    expect(await ask(address, '/healthz')).toMatchObject({ status: 200 })
  })

  it('has the public keys where there are some', async () => {
    const address = await start({ jwks: () => ({ keys: [] }) })
    expect(await ask(address, '/jwks.json')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/jwk-set+json' },
      body: '{"keys":[]}\n',
    })
  })

  it.each([
    '/',
    '/healthz/',
    '//healthz',
    '/HEALTHZ',
    '/%68ealthz',
    '/x/../healthz',
    '/toString',
    '/__proto__',
  ])('has nothing at %s', async (path) => {
    expect(await ask(await start(), path)).toMatchObject({ status: 404 })
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('takes no %s', async (method) => {
    expect(await ask(await start(), '/status', {}, method)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  })

  it('answers HEAD without the content', async () => {
    expect(await ask(await start(), '/status', {}, 'HEAD')).toMatchObject({
      status: 200,
      headers: { 'content-length': '13' },
      body: '',
    })
  })
})

describe('a web page', () => {
  it.each([
    ['with a name of its own that leads here', { host: 'attacker.example:9464' }],
    ['with an unspecified address', { host: '0.0.0.0:9464' }],
    ['with a name that begins like one of ours', { host: 'localhost.attacker.example' }],
    ['with an address that is not of this machine', { host: '192.0.2.1:9464' }],
    ['with no Host that can be read', { host: ':9464' }],
    ['across origins', { origin: 'https://attacker.example' }],
    ['across origins, without saying where from', { 'sec-fetch-site': 'cross-site' }],
    ['of the same site', { 'sec-fetch-site': 'same-site' }],
  ])('reads nothing %s', async (_, headers) => {
    const address = await start()
    for (const path of ['/metrics', '/status', '/healthz', '/nothing'])
      expect(await ask(address, path, headers)).toMatchObject({ status: 403 })
  })

  it('reads nothing with two Host fields', async () => {
    const address = await start()
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
    socket.write(
      'GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n',
    )
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 (400|403) /)
  })

  it.each(['127.0.0.1', 'localhost:1', 'LOCALHOST', '[::1]:9464', '127.0.0.9:80'])(
    'is not what asks for %s, at a forwarded port or not',
    async (host) => {
      expect(await ask(await start(), '/status', { host })).toMatchObject({ status: 200 })
    },
  )

  it('may be what somebody typed into the address bar', async () => {
    expect(await ask(await start(), '/status', { 'sec-fetch-site': 'none' })).toMatchObject({ status: 200 })
  })

  it.each([
    ['10.1.2.3:9464', 200],
    ['[2001:db8::1]:9464', 200],
    ['gate:9464', 200],
    ['attacker.example:9464', 403],
    ['gate.attacker.example', 403],
  ])('as %s, where other machines can reach it: %i', async (host, status) => {
    expect(await ask(await start({}, '0.0.0.0'), '/status', { host })).toMatchObject({ status })
  })
})
