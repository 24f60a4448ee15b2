import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { proxied } from '../../support/proxied.js'
import { record, type RecordingServer } from '../../support/recording-server.js'

const cardAt = (origin: string) => ({
  name: 'billing',
  supportedInterfaces: [{ url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  signatures: [{ protected: 'e30', signature: 'AA' }],
})

/** An agent whose only method returns its extended card, compressed although nobody asked. */
async function agentWithCard(): Promise<RecordingServer> {
  const agent: RecordingServer = await record((_, response) => {
    const result = cardAt(agent.origin)
    const content = gzipSync(JSON.stringify({ jsonrpc: '2.0', id: 7, result }))
    response.writeHead(200, {
      ...{ 'content-type': 'application/json', 'content-encoding': 'gzip', 'a2a-extensions': 'urn:x' },
      'content-length': content.length,
    })
    response.end(content)
  })
  return agent
}

const call = (url: string, method: string): Promise<Response> =>
  fetch(`${url}/rpc`, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 7, method }) })

describe('the extended card over JSON-RPC', () => {
  it.each(['GetExtendedAgentCard', 'agent/getAuthenticatedExtendedCard'])(
    'leads back to the proxy, as the public one does: %s',
    async (method) => {
      await using agent = await agentWithCard()
      const { url } = await proxied(agent.origin)
      const response = await call(url, method)
      expect(response.headers.get('a2a-extensions')).toBe('urn:x')
      expect(response.headers.get('content-encoding')).toBeNull()
      expect(await response.json()).toEqual({
        ...{ jsonrpc: '2.0', id: 7 },
        result: {
          name: 'billing',
          supportedInterfaces: [{ url: `${url}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
        },
      })
    },
  )

  it('is what the agent answers where that is no card', async () => {
    const error = { jsonrpc: '2.0', id: 7, error: { code: -32007, message: 'no extended card' } }
    await using agent = await record((_, response) => response.end(JSON.stringify(error)))
    const { url } = await proxied(agent.origin)
    expect(await (await call(url, 'GetExtendedAgentCard')).json()).toEqual(error)
  })

  it('is 502 where the answer cannot be read', async () => {
    await using agent = await record((_, response) => response.end('<html>'))
    const { url } = await proxied(agent.origin)
    expect((await call(url, 'GetExtendedAgentCard')).status).toBe(502)
  })

  it('is not looked for in the answers to other methods', async () => {
    await using agent = await agentWithCard()
    const { url } = await proxied(agent.origin)
    const response = await call(url, 'GetTask')
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(await response.text()).toContain(agent.origin)
  })
})
