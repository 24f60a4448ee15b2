import { request } from 'node:http'
import { isIP, type Socket } from 'node:net'
import * as tls from 'node:tls'
import { portOf } from '../../core/url.js'
import { bareHost, dial, type Life, type Place } from './dial.js'
import { proxyName, type Proxy } from './proxy.js'
import type { Trouble } from './raw-answer.js'
import { codeOf, NoConnection } from './trouble.js'
import { secureContextOf } from './trust.js'

/**
 * A connection to a place through a proxy, by CONNECT (RFC 9110 §9.3.6). The proxy sees where it leads and the sizes of
 * what passes.
 *
 * @param ca certificates to trust in addition to Node's, if the proxy speaks TLS
 * @throws {NoConnection} naming the proxy where it is the one that fails
 */
export async function tunnel(
  { hostname, port }: Place,
  { proxy, ca }: { readonly proxy: Proxy; readonly ca: string | undefined },
  life: Life,
  say: (waitingFor: string) => void,
): Promise<Socket> {
  const name = proxyName(proxy)
  say(`connection to the proxy ${name}`)
  const socket = await connectTo(proxy, ca, life).catch((error: unknown) => {
    throw life.signal.aborted ? error : unreachable(proxy, error)
  })
  say(`answer of the proxy ${name} to CONNECT`)
  return new Promise((resolve, reject) => {
    const target = `${hostname}:${port}`
    const fail = (trouble: Trouble): void => {
      reject(new NoConnection(trouble))
      socket.destroy()
    }
    const stop = (): void => fail(life.ended())
    life.signal.addEventListener('abort', stop, { once: true })
    const { authorization } = proxy
    const sent = request({
      method: 'CONNECT',
      path: target,
      headers: { Host: target, ...(authorization && { 'Proxy-Authorization': authorization }) },
      createConnection: () => socket,
    })
    sent.on('connect', ({ statusCode = 0 }, tunnelled, head: Buffer) => {
      life.signal.removeEventListener('abort', stop)
      if (statusCode < 200 || statusCode > 299) {
        fail(refusal(proxy, statusCode))
        return
      }
      if (head.length > 0) tunnelled.unshift(head)
      resolve(socket)
    })
    sent.on('error', (error) => {
      life.signal.removeEventListener('abort', stop)
      reject(unreachable(proxy, error))
      socket.destroy()
    })
    sent.end()
  })
}

async function connectTo({ url }: Proxy, ca: string | undefined, life: Life): Promise<Socket> {
  const socket = await dial({ hostname: url.hostname, port: portOf(url) }, life)
  if (url.protocol !== 'https:') return socket
  const host = bareHost(url)
  const servername = isIP(host) === 0 ? { servername: host } : {}
  const secureContext = secureContextOf({ ...(ca !== undefined && { ca }) })
  const secured = tls.connect({ socket, host, ...servername, secureContext, rejectUnauthorized: true })
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new NoConnection(life.ended()))
      secured.destroy()
    }
    life.signal.addEventListener('abort', stop, { once: true })
    secured.once('secureConnect', () => {
      life.signal.removeEventListener('abort', stop)
      resolve(secured)
    })
    secured.on('error', (error: Error) => {
      life.signal.removeEventListener('abort', stop)
      reject(error)
    })
  })
}

const hints: Readonly<Record<number, string>> = {
  403: 'the proxy does not let this machine connect there; NO_PROXY takes a host out of its reach',
  407: 'the proxy demands credentials: name the user in --proxy, and set $A2A_TOTP_PROXY_PASSWORD',
  502: 'the proxy does not reach the agent; check the URL, or take the host out with NO_PROXY',
  503: 'the proxy does not reach the agent; check the URL, or take the host out with NO_PROXY',
  504: 'the proxy does not reach the agent; check the URL, or take the host out with NO_PROXY',
}

function refusal(proxy: Proxy, status: number): Trouble {
  return {
    reason: 'unreachable',
    explanation: `the proxy ${proxyName(proxy)} answered ${status} to CONNECT`,
    hint: hints[status] ?? 'check the proxy; NO_PROXY takes a host out of its reach',
  }
}

function unreachable(proxy: Proxy, error: unknown): NoConnection {
  const code = error instanceof NoConnection ? error.trouble.explanation : codeOf(error as Error)
  return new NoConnection({
    reason: 'unreachable',
    explanation: `the proxy ${proxyName(proxy)} cannot be used: ${code}`,
    hint: 'check the proxy in --proxy, or in HTTPS_PROXY and ALL_PROXY',
  })
}
