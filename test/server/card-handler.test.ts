import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { totpAgentCard } from '../../src/server/a2a.js'
import { totpCardHandler } from '../../src/server/express.js'
import { cardJson } from '../support/guarded-agent.js'

const cardPath = '/.well-known/agent-card.json'

async function serve(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${cardPath}`
}

describe.each([
  ['Express 5', express],
  ['Express 4', createRequire(import.meta.url)('express-4') as typeof express],
])('totpCardHandler in %s', (_name, make) => {
  const card = totpAgentCard(cardJson('https://h'))
  const served = (options = {}): Promise<string> =>
    serve(make().use(cardPath, totpCardHandler(card, options)))
  const get = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { headers })

  it('serves the card of 1.0 to clients that name that version, and a hybrid to all others', async () => {
    const url = await served()
    for (const version of ['1.0', '1.1', '2.0']) {
      const newer = (await (await get(url, { 'A2A-Version': version })).json()) as object
      expect(newer).toEqual(JSON.parse(JSON.stringify(card)))
      expect(newer).toHaveProperty('securityRequirements')
    }
    for (const version of [{}, { 'A2A-Version': '' }, { 'A2A-Version': '0.3' }, { 'A2A-Version': 'x' }]) {
      const hybrid = (await (await get(url, version as Record<string, string>)).json()) as object
      expect(hybrid).toMatchObject({
        security: [{ bearer: [], totp: [] }],
        securitySchemes: { bearer: { type: 'http', httpAuthSecurityScheme: { scheme: 'Bearer' } } },
      })
      expect(hybrid).not.toHaveProperty('securityRequirements')
    }
  })

  it('tells caches that the two differ, and answers 304 to a client that has the card', async () => {
    const url = await served()
    const first = await get(url)
    expect(first.headers.get('vary')).toMatch(/A2A-Version/i)
    expect(first.headers.get('cache-control')).toBe('no-cache')
    expect(first.headers.get('content-type')).toMatch(/^application\/json/)
    const etag = first.headers.get('etag') ?? ''
    // Node's fetch asks for an answer that is no 304, unless it is told how to treat caches.
    const known = { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' }
    expect((await get(url, known)).status).toBe(304)
    expect((await get(url, { ...known, 'A2A-Version': '1.0' })).status).toBe(200)
    const kept = await get(await served({ maxAge: 60 }))
    expect(kept.headers.get('cache-control')).toBe('public, max-age=60')
  })

  it('answers HEAD, and leaves other methods to what follows', async () => {
    const url = await served()
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await fetch(url, { method: 'POST' })).status).toBe(404)
  })

  it('serves what the card has become', async () => {
    const changing = { name: 'before' }
    const url = await serve(make().use(cardPath, totpCardHandler(changing)))
    changing.name = 'after'
    expect(await (await get(url)).json()).toEqual({ name: 'after' })
  })
})
