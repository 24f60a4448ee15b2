import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cardPath } from '../../../src/core/card/shapes.js'
import { temporaryFolder } from '../../support/folder.js'
import { ask, credentialsOf, fileWith, gateTo, type TestGateOptions } from '../../support/gate.js'
import { fieldsOf, record, type RecordingServer } from '../../support/recording-server.js'

const folder = temporaryFolder()

const cardAt = (origin: string) => ({
  name: 'billing',
  version: '1',
  supportedInterfaces: [{ url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  skills: [],
  signatures: [{ protected: 'e30', signature: 'AA' }],
})

/** An agent whose card names its own address, at a path. */
async function agentWithCard(path = cardPath): Promise<RecordingServer> {
  const agent = await record((request, response) => {
    if (request.path !== path) {
      response.end('not the card')
      return
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(cardAt(agent.origin)))
  })
  return agent
}

const json = (body: string): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>
const get = { method: 'GET', path: cardPath }
const newer = { 'a2a-version': '1.0' }

describe('the card at a gate', () => {
  it('is public, names the gate, demands both factors, and is asked for without what the client sent', async () => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin, { file: fileWith({ signed: 'accept' }) })
    const headers = {
      ...newer,
      ...credentialsOf(),
      TotpPeer: 'mallory',
      cookie: 'c=1',
      'user-agent': 'kube-probe',
    }
    const answer = await ask(gate, { ...get, headers })
    expect(answer.status).toBe(200)
    const card = json(answer.body)
    expect(card['supportedInterfaces']).toMatchObject([{ url: `${gate.origin}/rpc` }])
    expect(card['securityRequirements']).toMatchObject([{ schemes: { bearer: {}, totp: {} } }])
    expect(JSON.stringify(card['capabilities'])).toContain('"policy":"accept"')
    expect(card).not.toHaveProperty('signatures')
    expect(JSON.stringify(agent.requests[0]?.fields)).not.toMatch(/authorization|x-totp|mallory|cookie|kube/i)
    expect(gate.events.filter(({ type }) => type === 'card_remark')).toHaveLength(1)
  })

  it('has validators, which a client can ask with', async () => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin)
    const { headers } = await ask(gate, get)
    expect(headers).toMatchObject({ etag: expect.stringMatching(/^".+"$/) as string })
    expect(headers['last-modified']).toBeDefined()
    expect(headers['cache-control']).toMatch(/max-age=\d+/)
    const again = await ask(gate, { ...get, headers: { 'if-none-match': headers.etag } })
    expect(again).toMatchObject({ status: 304, body: '' })
    expect(await ask(gate, { ...get, method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it.each([
    ...['/.well-known/agent%2Dcard.json', '/.well-known/Agent-card.json', '/.well-known/agent-card.json/'],
    ...[
      '/x/../.well-known/agent-card.json',
      '//.well-known/agent-card.json',
      '/.well-known/agent-card.json;x',
    ],
    ...['/.well-known/agent-card.json%00', '/%2ewell-known/agent-card.json', '/.well-known/agent.json'],
  ])('is not at %s', async (path) => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin)
    expect((await ask(gate, { method: 'GET', path })).status).toBe(401)
    expect(agent.requests).toEqual([])
  })

  it.each(['POST', 'OPTIONS', 'DELETE', 'PUT'])('is not open to %s', async (method) => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin)
    expect((await ask(gate, { method, path: cardPath })).status).toBe(401)
    expect(agent.requests).toEqual([])
  })

  it('is asked for with no query, and with no body', async () => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin)
    const answer = await ask(gate, {
      ...get,
      path: `${cardPath}?x=1`,
      headers: { 'content-length': '5' },
      body: 'hello',
    })
    expect(answer.status).toBe(200)
    expect(agent.requests).toMatchObject([{ path: cardPath, body: '' }])
  })

  const variants: [string, TestGateOptions['proxy'], string][] = [
    ['--card-path', { cardPath: '/agent/card' }, '/agent/card'],
    ['--card-path with pass', { cardPath: '/agent/card', card: 'pass' }, '/agent/card'],
  ]
  it.each(variants)('is found at another path of the agent with %s', async (_, proxy = {}, path) => {
    await using agent = await agentWithCard(path)
    const gate = await gateTo(agent.origin, { proxy })
    for (const asked of [path, cardPath]) {
      expect(json((await ask(gate, { ...get, path: asked })).body)).toMatchObject({ name: 'billing' })
    }
    expect(agent.requests.map((one) => one.path)).toEqual([path, path])
  })

  it('is passed as it is with pass, and with none of what the client sent', async () => {
    await using agent = await agentWithCard()
    const gate = await gateTo(agent.origin, { proxy: { card: 'pass' } })
    const headers = { ...credentialsOf(), TotpPeer: 'mallory' }
    expect(json((await ask(gate, { ...get, headers })).body)).toEqual(cardAt(agent.origin))
    expect(fieldsOf(agent.requests[0] ?? { method: '', path: '', fields: [], body: '' }, 'totppeer')).toEqual(
      [],
    )
    expect(JSON.stringify(agent.requests)).not.toMatch(/authorization|x-totp|mallory/i)
  })

  it('can be of a file, which is read anew on reload, and stays if that is broken', async () => {
    await using agent = await agentWithCard()
    const file = join(folder, 'card.json')
    writeFileSync(file, JSON.stringify({ ...cardAt('https://a.example'), name: 'of the file' }))
    const gate = await gateTo(agent.origin, { proxy: { card: { file } } })
    const name = async (): Promise<unknown> =>
      json((await ask(gate, { ...get, headers: newer })).body)['name']
    expect(await name()).toBe('of the file')
    writeFileSync(file, JSON.stringify({ ...cardAt('https://a.example'), name: 'changed' }))
    await gate.sidecar.reload()
    expect(await name()).toBe('changed')
    writeFileSync(file, 'broken')
    await gate.sidecar.reload()
    expect(await name()).toBe('changed')
    expect(gate.events.find(({ type }) => type === 'warning')).toMatchObject({
      message: expect.stringContaining('stays in force') as string,
    })
    expect(agent.requests).toEqual([])
  })

  it('is an error in JSON where the agent has none, or is down', async () => {
    const agent = await record((_, response) => {
      response.statusCode = 404
      response.end('no')
    })
    const gate = await gateTo(agent.origin)
    expect(await ask(gate, get)).toMatchObject({ status: 502 })
    await agent[Symbol.asyncDispose]()
    const down = await ask(gate, get)
    expect(down.status).toBe(502)
    expect(json(down.body)).toMatchObject({ error: { code: 502 } })
  })
})
