import { TaskPushNotificationConfig } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { describe, expect, it } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { totpFetch } from '../../src/client/index.js'
import { clientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { bindings } from '../support/messages.js'
import { fieldsOf, record } from '../support/recording-server.js'

const clock = new FakeClock()
const named = (url: string, capabilities: object = {}) => ({
  name: 'x',
  skills: [],
  capabilities,
  supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
})
const quietly = { onWarning: () => undefined }

describe('an agent cannot send the client elsewhere', () => {
  it('by the extended card', async () => {
    await using other = await record()
    await using agent = await record(({ method, body }, response) => {
      if (method === 'GET')
        response.end(JSON.stringify(named(`${agent.origin}/rpc`, { extendedAgentCard: true })))
      else {
        const { id } = JSON.parse(body) as { id: number }
        const result = named(`${other.origin}/rpc`, { extendedAgentCard: true })
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      }
    })
    const client = await new ClientFactory(totpTransports(schemeOn(clock), quietly)).createFromUrl(
      agent.origin,
    )
    expect(JSON.stringify(await client.getAgentCard())).toContain(other.origin)
    await client.getTask({ id: 'none', tenant: '' }).catch(() => undefined)
    expect(other.requests).toEqual([])
    expect(agent.requests.map((request) => fieldsOf(request, 'x-totp'))).toEqual(
      agent.requests.map(() => [clock.code()]),
    )
  })

  it.each(bindings)('by the URL of a push notification, over %s', async (binding) => {
    await using other = await record()
    const card = (own: Record<string, unknown>) => ({ ...own, capabilities: { pushNotifications: true } })
    await using agent = await clientAgent(clock, { card })
    const factory = new ClientFactory({
      ...totpTransports(schemeOn(clock), quietly),
      preferredTransports: [binding],
    })
    const client = await factory.createFromUrl(agent.origin)
    const config = TaskPushNotificationConfig.fromJSON({
      taskId: 'none',
      id: 'c',
      url: `${other.origin}/hook`,
    })
    await expect(client.createTaskPushNotificationConfig(config)).rejects.toThrow()
    expect(agent.seen).toMatchObject([{ passed: true }])
    expect(other.requests).toEqual([])
  })

  it('by a Content-Location, a Link, a Refresh or a challenge', async () => {
    await using other = await record()
    const elsewhere = `${other.origin}/x`
    await using agent = await record((_request, response) =>
      response
        .writeHead(401, {
          'Content-Location': elsewhere,
          Link: `<${elsewhere}>; rel="canonical"`,
          Refresh: `0; url=${elsewhere}`,
          'WWW-Authenticate': `Bearer realm="${elsewhere}", resource_metadata="${elsewhere}"`,
          'Alt-Svc': `h2="${other.origin.replace('http://', '')}"`,
        })
        .end(),
    )
    const fetch = totpFetch(schemeOn(clock, quietly))
    for (let count = 0; count < 2; count++) expect((await fetch(agent.origin)).status).toBe(401)
    expect(other.requests).toEqual([])
  })
})
