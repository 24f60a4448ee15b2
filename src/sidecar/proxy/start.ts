import { createSecureContext } from 'node:tls'
import { isExposed } from '../../core/card/hosts.js'
import { TOTPError } from '../../core/errors.js'
import { isLoopback, shownAddress, shownHost } from '../../service/address.js'
import { listenMixed, type MixedListener } from '../../service/mixed-listener.js'
import type { AgentState } from '../observe/proxy-metrics.js'
import type { ListenerInfo, Sidecar } from '../sidecar.js'
import { AgentAnswers } from './answers.js'
import { AgentCard } from './agent-card.js'
import { readLocalAuth, readTls } from './files.js'
import { ProxyHandler } from './handler.js'
import type { LocalAuth } from './local-auth.js'
import type { ProxiedAgent, ProxyOptions } from './options.js'
import { ProxiedPeer } from './peer.js'
import { Upstreams } from './upstreams.js'

/** A proxy that is running. */
export interface Proxy extends Sidecar {
  /** Undefined if requests are passed on; else why not. */
  ready(): string | undefined
  agents(): AgentState[]
  /** Starts a listener for one more agent. @throws what {@link startProxy} throws; then the others go on */
  add(agent: ProxiedAgent): Promise<ListenerInfo>
}

/**
 * Starts a listener for each agent. The agents need not be there.
 *
 * @throws {TOTPError} what reading credentials and files throws; `ERR_USAGE` for an agent without a URL, and for a listener
 *   beyond loopback that anybody could use; `ERR_INSECURE_TRANSPORT` for plain http beyond loopback; `ERR_PORT_UNAVAILABLE`
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const running: RunningAgent[] = []
  let ended = false
  const end = (): void => void (ended = true)
  try {
    for (const agent of options.agents) running.push(await startAgent(agent, options))
  } catch (error) {
    await Promise.all(running.map((one) => one.close()))
    throw error
  }
  return {
    listeners: running.map(({ info }) => info),
    ready: () => running.map((one) => one.whyNotReady()).find((why) => why !== undefined),
    agents: () => running.map((one) => one.state()),
    add: async (agent) => {
      const one = await startAgent(agent, options)
      // It may have been told to end meanwhile.
      if (ended) await one.close()
      else running.push(one)
      return one.info
    },
    // At the same time, so that a file of several is read once.
    reload: async () => {
      await Promise.all(running.map((one) => one.reload()))
    },
    drain: async (ms) => {
      end()
      await Promise.all(running.map((one) => one.drain(ms)))
    },
    close: async () => {
      end()
      await Promise.all(running.map((one) => one.close()))
    },
  }
}

interface RunningAgent {
  readonly info: ListenerInfo
  whyNotReady(): string | undefined
  state(): AgentState
  reload(): Promise<void>
  drain(ms: number): Promise<void>
  close(): Promise<void>
}

async function startAgent(agent: ProxiedAgent, options: Omit<ProxyOptions, 'agents'>): Promise<RunningAgent> {
  const { observer, now } = options
  let localAuth = readLocalAuth(agent)
  requireClosed(agent, localAuth)
  let upstreams = new Upstreams(usableTls(agent))
  const peer = await ProxiedPeer.start(agent, observer, options)
  let listener: MixedListener | undefined
  try {
    const url = requireUrl(agent, peer)
    const answers = new AgentAnswers(observer, now, () => peer.agent)
    const ended = new AbortController()
    const card: AgentCard = new AgentCard({
      ...agent,
      url,
      known: peer.url ? [url, peer.url] : [url],
      header: () => peer.scheme.profile.header,
      onRemark: (remark) => {
        const message = peer.masked(remark)
        observer.event({ at: now(), type: 'card_remark', agent: peer.agent, message })
      },
      fetch: (target, fields) => handler.fetchCard(target, fields, ended.signal),
    })
    const { listen } = agent
    const port = (): number | undefined =>
      'socket' in listen ? undefined : Number(/\d+$/.exec(listener?.address ?? '')?.[0])
    const handler: ProxyHandler = new ProxyHandler({
      ...{ peer, card, answers, observer, now, maxSignedBody: agent.maxSignedBody },
      upstreams: () => upstreams,
      localAuth: () => localAuth,
      place: () => ({ port: port(), host: 'socket' in listen ? undefined : shownHost(listen.host) }),
    })
    listener = await listenMixed(listen, handler.handle)
    const { address } = listener
    const own = listener
    const readAnew = (read: () => void): void => {
      try {
        read()
      } catch (error) {
        const message = `${(error as Error).message} (what was read before stays in force)`
        observer.event({ at: now(), type: 'warning', message })
      }
    }
    const end = (): void => {
      ended.abort()
      peer.stop()
      upstreams.close()
    }
    return {
      info: {
        role: 'proxy',
        url: 'socket' in listen ? `unix:${listen.socket}` : `http://${address}`,
        agent: peer.agent,
        ...(peer.name === undefined ? {} : { peer: peer.name }),
      },
      whyNotReady: () =>
        peer.breaker.isOpen && !peer.withdrawn
          ? `the agent ${peer.agent} refuses the credentials`.replace('  ', ' ')
          : undefined,
      state: () => ({
        agent: peer.agent,
        peer: peer.name ?? '',
        queueLength: handler.waiting,
        breakerOpen: peer.breaker.isOpen,
        lastSuccessAt: answers.lastSuccessAt,
        clockSeconds: answers.clockSeconds,
      }),
      reload: async () => {
        await peer.reload()
        readAnew(() => (localAuth = readLocalAuth(agent)))
        readAnew(() => {
          const before = upstreams
          upstreams = new Upstreams(usableTls(agent))
          before.close()
        })
      },
      drain: async (ms) => {
        await own.drain(ms)
        end()
      },
      close: async () => {
        await own.stop()
        end()
      },
    }
  } catch (error) {
    peer.stop()
    await listener?.stop()
    throw error
  }
}

/** Certificates are looked at now, and not at the first connection. */
function usableTls(agent: ProxiedAgent): ReturnType<typeof readTls> {
  const tls = readTls(agent)
  try {
    createSecureContext(tls as object)
    // A file without any is no authority at all to Node, and each connection would fail later.
    if (tls.ca !== undefined && !String(tls.ca).includes('-----BEGIN ')) throw new Error('no certificate')
  } catch {
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      'a file of --ca, --cert or --key is not what it should be; expected certificates and a key in PEM, and the key of the certificate',
    )
  }
  return tls
}

/** @throws {TOTPError} `ERR_USAGE` */
function requireClosed({ listen }: ProxiedAgent, { kind }: LocalAuth): void {
  if ('socket' in listen || kind !== 'none' || isLoopback(listen)) return
  throw new TOTPError(
    'ERR_USAGE',
    `other machines can reach ${shownAddress(listen)}, and could call as the peer; listen on 127.0.0.1, or set --local-auth header or url with --local-token-file`,
  )
}

function requireUrl({ url: given, insecureHttp }: ProxiedAgent, peer: ProxiedPeer): URL {
  const url = given ?? peer.url
  if (url === undefined) {
    throw new TOTPError(
      'ERR_USAGE',
      'missing the URL of the agent, which its credentials do not name either; give it first: a2a-totp proxy URL …',
    )
  }
  if (!insecureHttp && isExposed(url)) {
    throw new TOTPError(
      'ERR_INSECURE_TRANSPORT',
      'token and code are not sent over plain http beyond loopback; use https, or --insecure-http on a network that encrypts all traffic',
    )
  }
  return url
}
