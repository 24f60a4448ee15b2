import { AgentCard } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { totpTransports, type TOTPTransportsOptions } from '../../src/client/a2a.js'
import { totpInterceptor } from '../../src/client/index.js'
import { noTargets, targets } from '../core/card/targets.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { FakeClock, schemeOn } from '../support/client-scheme.js'
import { fieldsOf, record } from '../support/recording-server.js'

let clock: FakeClock
let agent: ClientAgent
let warnings: string[]
beforeEach(async () => {
  clock = new FakeClock()
  warnings = []
  agent = await clientAgent(clock)
})
afterEach(() => agent[Symbol.asyncDispose]())

const transportsWith = (options: TOTPTransportsOptions) =>
  totpTransports(schemeOn(clock), { onWarning: (message) => warnings.push(message), ...options })

const naming = (url: string, protocolBinding: string) => ({
  supportedInterfaces: [{ url, protocolBinding, protocolVersion: '1.0' }],
})

describe('a client for a gRPC interface', () => {
  /** The URL that the credentials would be for, as the error names it that refuses it. */
  async function readAs(url: string, options: TOTPTransportsOptions = {}): Promise<string> {
    const elsewhere = { origins: ['https://elsewhere.example'], allowInsecureHttp: true }
    const factory = new ClientFactory(transportsWith({ ...elsewhere, ...options }))
    const made = factory.createFromAgentCard(AgentCard.fromJSON(naming(url, 'GRPC')))
    const failure = await made.then(
      () => 'made',
      (error: unknown) => error as Error & { code: string },
    )
    if (typeof failure === 'string') return failure
    return /not for (\S+):/.exec(failure.message)?.[1] ?? `${failure.code} ${failure.message}`
  }

  it.each(targets)('is read as everywhere: $text', async ({ text, host, port, tls, loopback, remark }) => {
    const { origin } = new URL(`${tls ? 'https' : 'http'}://${host}:${port}`)
    expect(await readAs(text)).toBe(origin)
    expect(warnings.filter((warning) => remark !== undefined && warning.endsWith(remark))).toHaveLength(
      remark === undefined ? 0 : 1,
    )
    const sent = await readAs(text, { origins: [origin], allowInsecureHttp: false })
    if (tls || loopback) expect(sent).toBe('made')
    else expect(sent).toMatch(/^ERR_INSECURE_TRANSPORT/)
  })

  it.each(noTargets)('is not made for $text', async ({ text, why }) => {
    expect(await readAs(text)).toBe(
      `ERR_CARD_INVALID the card names an interface that cannot be called: ${why}`,
    )
  })

  it.each(['', 'dns:', 'dns:///', 'ipv4:', 'grpc://', 'http://'])('calls %s…', async (prefix) => {
    const card = (own: Record<string, unknown>) => ({ ...own, ...naming(prefix + agent.grpc, 'GRPC') })
    await using other = await clientAgent(clock, { card })
    const client = await new ClientFactory(transportsWith({})).createFromUrl(other.origin)
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow(/not found/i)
    expect(agent.seen).toMatchObject([{ binding: 'grpc', passed: true }])
  })
})

describe('a client for an interface over HTTP', () => {
  const calledAt = async (address: (origin: string) => string, binding = 'JSONRPC') => {
    await using server = await record((request, response) => {
      if (request.method === 'GET' && request.path.includes('agent-card')) {
        response.end(JSON.stringify({ name: 'x', skills: [], ...naming(address(server.origin), binding) }))
      } else response.writeHead(404).end()
    })
    const client = await new ClientFactory(transportsWith({})).createFromUrl(`${server.origin}/base/`)
    await expect(client.getTask({ id: 'none', tenant: '' })).rejects.toThrow()
    const request = server.requests.at(-1)
    expect(request && fieldsOf(request, 'x-totp')).toEqual([clock.code()])
    return request?.path
  }

  it.each([
    ['/rpc', '/rpc'],
    ['../rpc', '/base/rpc'],
  ])('resolves %s against the URL of the card', async (address, path) => {
    expect(await calledAt(() => address)).toBe(path)
    expect(warnings.join()).toMatch(/http:\S+: relative to the card/)
  })

  it('sends no user name that the card names, and says so', async () => {
    expect(await calledAt((origin) => `${origin.replace('//', '//me:pw@')}/rpc`)).toBe('/rpc')
    expect(warnings.join()).toMatch(/user name and password not sent/)
    expect(warnings.join()).not.toContain('pw')
  })

  it('sends the query of a JSON-RPC endpoint, which may tell agents apart', async () => {
    expect(await calledAt((origin) => `${origin}/rpc?agent=billing`)).toBe('/rpc?agent=billing')
    expect(await calledAt((origin) => `${origin}?agent=billing`)).toBe('/?agent=billing')
    expect(warnings.join()).not.toContain('query')
  })

  it('puts the paths of REST behind an address without its query, and says so', async () => {
    expect(await calledAt((origin) => `${origin}/rest?agent=billing`, 'HTTP+JSON')).toMatch(
      /^\/rest\/tasks\/none/,
    )
    expect(warnings.join()).toMatch(/query not sent/)
  })

  it.each(['', '/'])('puts paths behind an origin that ends with %j', async (end) => {
    expect(await calledAt((origin) => origin + end, 'HTTP+JSON')).toMatch(/^\/tasks\/none/)
  })

  it.each(['/rpc', 'http://0.0.0.0:8080/rpc', 'localhost:8080/rpc', 'ws://agent.example'])(
    'is not made for %s in a card that came from elsewhere',
    async (url) => {
      const factory = new ClientFactory(transportsWith({ origins: ['https://agent.example'] }))
      const made = factory.createFromAgentCard(AgentCard.fromJSON(naming(url, 'JSONRPC')))
      await expect(made).rejects.toMatchObject({ code: 'ERR_CARD_INVALID' })
    },
  )
})

describe('an interceptor', () => {
  const before = (agentCard: object) => totpInterceptor(schemeOn(clock)).before({ agentCard })

  it('refuses a card with an interface that leads nowhere', async () => {
    for (const url of ['/rpc', 'ws://agent.example', '0.0.0.0:1']) {
      await expect(before(naming(url, 'JSONRPC'))).rejects.toMatchObject({ code: 'ERR_CARD_INVALID' })
    }
  })

  it('looks at the host of interfaces that it does not know, too', async () => {
    const known = naming('https://agent.example/rpc', 'JSONRPC').supportedInterfaces
    const same = naming('https://agent.example/ws', 'WEBSOCKET').supportedInterfaces
    const other = naming('https://other.example/ws', 'WEBSOCKET').supportedInterfaces
    await before({ supportedInterfaces: [...known, ...same] })
    await expect(before({ supportedInterfaces: [...known, ...other] })).rejects.toMatchObject({
      code: 'ERR_HOST_FORBIDDEN',
    })
  })
})
