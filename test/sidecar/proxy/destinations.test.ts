import dns from 'node:dns'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { AgentCard } from '../../../src/sidecar/proxy/agent-card.js'
import { proxied } from '../../support/proxied.js'
import { fieldsOf, record } from '../../support/recording-server.js'

/** A card that is read from there, and how often it was. */
function cardOf(url: string, interfaces: readonly string[]) {
  const content = JSON.stringify({
    name: 'agent',
    supportedInterfaces: interfaces.map((one) => ({
      ...{ url: one, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    })),
  })
  const fetched: string[] = []
  const card = new AgentCard({
    ...{ url: new URL(url), known: [new URL(url)], allowHosts: [], insecureHttp: false, certFile: undefined },
    ...{ cardSecurity: 'remove', header: () => 'X-TOTP', onRemark: () => undefined },
    fetch: (target) => {
      fetched.push(target)
      const answer = { fields: [], content: Readable.from([Buffer.from(content)]), trailers: () => [] }
      return Promise.resolve({ status: 200, ...answer })
    },
  })
  return { card, fetched }
}

describe('a request of a client that kept its card from before the start', () => {
  it('goes to the port that the card names, on the host of the agent', async () => {
    const { card, fetched } = cardOf('https://agent.example/', ['https://agent.example:8443/rest'])
    expect((await card.destination('/rest/message:send', false))?.href).toBe('https://agent.example:8443/')
    expect((await card.destination('/other', false))?.origin).toBe('https://agent.example')
    expect(fetched).toEqual(['/.well-known/agent-card.json'])
  })

  it('goes to the agent on loopback without its card: another port may not be called there', async () => {
    const { card, fetched } = cardOf('http://127.0.0.1:9000/', ['http://127.0.0.1:9001/rest'])
    expect((await card.destination('/rest/message:send', false))?.port).toBe('9000')
    expect(fetched).toEqual([])
  })
})

describe('localhost', () => {
  it('is this machine, without a resolver', async () => {
    const lookup = vi.spyOn(dns, 'lookup')
    await using agent = await record()
    const { host, port } = new URL(agent.origin)
    expect(host).toBe(`127.0.0.1:${port}`)
    const { url } = await proxied(`http://localhost:${port}`)
    const { status } = await fetch(url, { method: 'POST', body: '{}' })
    expect(status).toBe(200)
    expect(agent.requests.map((request) => fieldsOf(request, 'host'))).toEqual([[`localhost:${port}`]])
    expect(lookup.mock.calls.map(([name]) => name)).not.toContain('localhost')
    lookup.mockRestore()
  })
})
