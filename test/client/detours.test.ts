import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { clientAgent, type ClientAgent } from '../support/client-agent.js'
import { bundled } from '../support/bundled.js'
import { runNode } from '../support/client-process.js'
import { seed, token } from '../support/client-scheme.js'
import { httpProxy, relay } from '../support/relay.js'
import { selfSigned } from '../support/tls.js'

/**
 * Calls an agent through every integration point and prints what becomes of each: `ok` where the agent let it in, else
 * the code of the error. `$AGENT` is the URL of the agent, `$GRPC` host and port.
 */
const program = `
  import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js'
  import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory, createAuthenticatingFetchWithRetry } from '@a2a-js/sdk/client'
  import { GrpcTransportFactory } from '@a2a-js/sdk/client/grpc'
  import { A2AService } from '@a2a-js/sdk/server/grpc'
  import { BearerTokenAuth, pinnedFetch, totpAuthenticationHandler, TOTPClientAuthScheme, totpFetch, totpInterceptor } from 'a2a-totp/client'
  import { totpTransports } from 'a2a-totp/client/a2a'
  import { totpGrpcInterceptor } from 'a2a-totp/client/grpc'

  const { AGENT, GRPC, SETUP = '' } = process.env
  await new Function(SETUP)()
  const scheme = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth() })
  const post = (fetch) => fetch(AGENT + '/jsonrpc', { method: 'POST', body: '{}' })
  const clientOf = async (options, binding) => {
    const factory = new ClientFactory({ ...options, preferredTransports: [binding] })
    const client = await factory.createFromUrl(AGENT)
    return client.getTask({ id: 'none', tenant: '' })
  }
  const sdkTransports = () => [new JsonRpcTransportFactory(), new RestTransportFactory(), new GrpcTransportFactory()]
  const intercepted = (binding) =>
    clientOf({ transports: sdkTransports(), clientConfig: { interceptors: [totpInterceptor(scheme)] } }, binding)
  const channel = AGENT.startsWith('https') ? credentials.createSsl() : credentials.createInsecure()
  const overGrpc = (interceptor) => new Promise((done, fail) => {
    const client = new (makeGenericClientConstructor(A2AService, 'A2AService'))(GRPC, channel, { interceptors: [interceptor] })
    client.getTask({ id: 'none' }, (error) => (client.close(), fail(error)))
  })
  const seams = {
    totpFetch: () => post(totpFetch(scheme)),
    'totpTransports JSONRPC': () => clientOf(totpTransports(scheme), 'JSONRPC'),
    'totpTransports HTTP+JSON': () => clientOf(totpTransports(scheme), 'HTTP+JSON'),
    'totpTransports GRPC': () => clientOf(totpTransports(scheme), 'GRPC'),
    totpGrpcInterceptor: () => overGrpc(totpGrpcInterceptor(scheme, { channelCredentials: channel })),
    totpAuthenticationHandler: () => post(createAuthenticatingFetchWithRetry(pinnedFetch(), totpAuthenticationHandler(scheme))),
    'totpInterceptor JSONRPC': () => intercepted('JSONRPC'),
    'totpInterceptor HTTP+JSON': () => intercepted('HTTP+JSON'),
    'totpInterceptor GRPC': () => intercepted('GRPC'),
  }
  const became = {}
  for (const [name, call] of Object.entries(seams)) {
    became[name] = await call().then(
      (response) => (response.status === 401 ? 'refused' : 'ok'),
      (error) => {
        const said = error.code + ' ' + error.message + ' ' + error.details
        return /ERR_\\w+/.exec(said)?.[0] ?? (/not found/i.test(said) ? 'ok' : said)
      },
    )
  }
  console.log(JSON.stringify(became))
  process.exit(0)
`
let compiled: string
beforeAll(async () => {
  compiled = await bundled(program)
})

/** What becomes of a call at each integration point. */
async function calls(
  agent: Pick<ClientAgent, 'origin' | 'grpc'>,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Record<string, string>> {
  const given = {
    A2A_TOTP_TOKEN: token,
    A2A_TOTP_SEED: seed.base32,
    AGENT: agent.origin,
    GRPC: agent.grpc,
  }
  return JSON.parse(await runNode(compiled, { ...given, ...env }, args)) as Record<string, string>
}

const clock = { now: () => new Date() }

/** Every integration point that sends itself gets through; those that cannot see the way refuse. */
const past = {
  totpFetch: 'ok',
  'totpTransports JSONRPC': 'ok',
  'totpTransports HTTP+JSON': 'ok',
  'totpTransports GRPC': 'ok',
  totpAuthenticationHandler: 'ok',
}
const refused = 'ERR_INSECURE_TRANSPORT'

it('without a detour every integration point reaches the agent', async () => {
  await using agent = await clientAgent(clock)
  const became = await calls(agent)
  expect(new Set(Object.values(became))).toEqual(new Set(['ok']))
  expect(agent.seen.map(({ passed }) => passed)).toEqual(Object.keys(became).map(() => true))
})

/** Makes `localhost` another address, as a hosts file or a name server can. */
const hijack = `
  const dns = require('node:dns')
  const { lookup } = dns
  const taken = (name) => (name === 'localhost' ? '127.0.0.2' : name)
  dns.lookup = (name, ...rest) => lookup(taken(name), ...rest)
  const later = dns.promises.lookup
  dns.promises.lookup = (name, ...rest) => later(taken(name), ...rest)
`

describe.skipIf(process.platform !== 'linux')('localhost that a resolver takes for another machine', () => {
  it('gets neither token nor code', async () => {
    const local = (card: Record<string, unknown>) =>
      JSON.parse(JSON.stringify(card).replaceAll('127.0.0.1', 'localhost')) as Record<string, unknown>
    await using agent = await clientAgent(clock, { card: local })
    const card = (await (await fetch(`${agent.origin}/.well-known/agent-card.json`)).json()) as object
    await using other = await clientAgent(clock, { card: () => ({ ...card }) })
    const port = (address: string): number => Number(address.split(':').at(-1))
    await using http = await relay(port(other.origin), '127.0.0.2', port(agent.origin))
    await using grpc = await relay(port(other.grpc), '127.0.0.2', port(agent.grpc))
    const hook = join(makeFolder(), 'hijack.cjs')
    writeFileSync(hook, hijack)

    const named = {
      origin: agent.origin.replace('127.0.0.1', 'localhost'),
      grpc: agent.grpc.replace('127.0.0.1', 'localhost'),
    }
    expect(await calls(named, {}, ['--require', hook])).toEqual({
      ...past,
      totpGrpcInterceptor: refused,
      'totpInterceptor JSONRPC': refused,
      'totpInterceptor HTTP+JSON': refused,
      'totpInterceptor GRPC': refused,
    })
    expect(other.seen).toEqual([])
    expect(http.heads.join()).not.toMatch(/totp|bearer/i)
    // gRPC asks for credentials once it is connected, and gets none.
    expect(grpc.connections()).toBeLessThan(2)
    expect(agent.seen.map(({ passed }) => passed)).toEqual(Object.keys(past).map(() => true))
  })
})

describe('a proxy', () => {
  const behindProxy = {
    ...past,
    totpGrpcInterceptor: refused,
    'totpInterceptor JSONRPC': refused,
    'totpInterceptor HTTP+JSON': refused,
    'totpInterceptor GRPC': refused,
  }

  it('that a program sets for fetch, and the environment for gRPC, gets neither token nor code', async () => {
    await using agent = await clientAgent(clock)
    await using proxy = await httpProxy()
    // What setGlobalDispatcher does with undici's ProxyAgent.
    const SETUP = `
      return fetch('data:,').then(() => {
        const inner = globalThis[Symbol.for('undici.globalDispatcher.1')]
        class ProxyAgent {
          dispatch(options, handler) {
            if (/totp/i.test(JSON.stringify(options.headers))) throw new Error('seen by the proxy')
            return inner.dispatch(options, handler)
          }
        }
        globalThis[Symbol.for('undici.globalDispatcher.1')] = new ProxyAgent()
      })`
    const env = { SETUP, grpc_proxy: `http://127.0.0.1:${proxy.port}` }
    expect(await calls(agent, env)).toEqual(behindProxy)
    expect(agent.seen.map(({ passed }) => passed)).toEqual(Object.keys(past).map(() => true))
    // The interceptor sees the proxy once its channel is connected, and sends nothing.
    expect(proxy.heads.join()).not.toMatch(/totp|bearer/i)
  })

  it('that the environment names is past by where it makes an exception', async () => {
    await using agent = await clientAgent(clock)
    await using proxy = await httpProxy()
    const http_proxy = `http://127.0.0.1:${proxy.port}`
    const env = { http_proxy, NODE_USE_ENV_PROXY: '1', no_proxy: 'agent.example,127.0.0.1' }
    expect(new Set(Object.values(await calls(agent, env)))).toEqual(new Set(['ok']))
    expect(proxy.connections()).toBe(0)
  })

  // Node reads these since 24.0; test:nodes runs this there.
  describe.skipIf(Number(process.versions.node.split('.')[0]) < 24)('of the environment of Node', () => {
    it.each([
      [{ NODE_USE_ENV_PROXY: '1' }, []],
      [{}, ['--use-env-proxy']],
    ])('gets neither token nor code: %j %j', async (how, args) => {
      await using agent = await clientAgent(clock)
      await using proxy = await httpProxy()
      const HTTP_PROXY = `http://127.0.0.1:${proxy.port}`
      expect(await calls(agent, { ...how, HTTP_PROXY, http_proxy: HTTP_PROXY }, args)).toEqual(behindProxy)
      expect(agent.seen.map(({ passed }) => passed)).toEqual(Object.keys(past).map(() => true))
      expect(proxy.heads.join()).not.toMatch(/totp|bearer/i)
    })
  })
})

it('certificates that nobody checks are not trusted', async () => {
  await using agent = await clientAgent(clock, { tls: selfSigned() })
  const secure = { origin: `https://${agent.grpc}`, grpc: agent.grpc }
  const became = await calls(secure, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
  expect(agent.seen).toEqual([])
  const { totpFetch, totpAuthenticationHandler } = became
  expect({ totpFetch, totpAuthenticationHandler }).toEqual({
    totpFetch: refused,
    totpAuthenticationHandler: refused,
  })
})
