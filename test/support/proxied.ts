import { onTestFinished } from 'vitest'
import type { ClientCredentials } from '../../src/client/file/client-file.js'
import { Token } from '../../src/core/token.js'
import type { CredentialListener } from '../../src/sidecar/proxy/credentials.js'
import { proxyDefaults, type ProxiedAgent } from '../../src/sidecar/proxy/options.js'
import { startProxy, type Proxy } from '../../src/sidecar/proxy/start.js'
import type { SidecarCall, SidecarEvent } from '../../src/sidecar/sidecar.js'
import { FakeClock, seed, token } from './client-scheme.js'

/** The credentials of alice, as the agents of the tests know them. */
const aliceAtBilling: ClientCredentials = {
  ...{ peer: 'alice', agent: 'billing', url: undefined, seed, token: Token.parse(token) },
  ...{ profile: { window: 1 }, replay: 'reuse', signed: undefined },
}

export interface ProxiedOptions extends Partial<Omit<ProxiedAgent, 'credentials' | 'url'>> {
  readonly credentials?: Partial<ClientCredentials>
  readonly clock?: FakeClock
}

export interface Proxied {
  readonly proxy: Proxy
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly calls: SidecarCall[]
  readonly events: { readonly type: string }[]
  /** As a change of the client file. */
  readonly change: (credentials: Partial<ClientCredentials>) => void
}

/** A proxy in this process, stopped when the test is over. */
export async function proxied(agentUrl: string | undefined, options: ProxiedOptions = {}): Promise<Proxied> {
  const { credentials = {}, clock = new FakeClock(), ...more } = options
  const first = { ...aliceAtBilling, ...credentials }
  let listener: CredentialListener | undefined
  const calls: SidecarCall[] = []
  const events: SidecarEvent[] = []
  const proxy = await startProxy({
    agents: [
      {
        ...proxyDefaults,
        ...{ localTokenFile: undefined, allowHosts: [], insecureHttp: false },
        ...{ caFile: undefined, certFile: undefined, keyFile: undefined },
        ...more,
        url: agentUrl === undefined ? undefined : new URL(agentUrl),
        credentials: { read: () => Promise.resolve(first), follow: (given) => void (listener = given) },
      },
    ],
    observer: {
      call: (call) => void calls.push(call),
      event: (event) => void events.push(event as SidecarEvent),
      opened: () => () => undefined,
    },
    now: clock.now,
    sleep: clock.sleep,
  })
  onTestFinished(() => proxy.close())
  return {
    ...{ proxy, calls, events, url: proxy.listeners[0]?.url ?? '' },
    change: (changed) => listener?.changed({ ...first, ...changed }),
  }
}
