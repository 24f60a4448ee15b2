import { onTestFinished } from 'vitest'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { startAuthz, type AuthzOptions } from '../../src/sidecar/authz/start.js'
import type { Observer, SidecarCall } from '../../src/sidecar/sidecar.js'
import { sendRaw, type Answer, type SentRequest } from './signed-requests.js'

type Events = Parameters<Observer['event']>[0][]

export interface RunningAuthz {
  readonly port: number
  readonly grpcPort: number
  readonly calls: SidecarCall[]
  readonly events: Events
}

/** Forward authentication on loopback, over HTTP and gRPC, until the test is over. */
export async function authz(
  scheme: TOTPServerAuthScheme,
  given: Partial<AuthzOptions> = {},
): Promise<RunningAuthz> {
  const calls: SidecarCall[] = []
  const events: Events = []
  const anyPort = { host: '127.0.0.1', port: 0 }
  const running = await startAuthz({
    scheme,
    http: anyPort,
    grpc: anyPort,
    identityOf: ({ peer }) => [['TotpPeer', peer]],
    bodyUnchecked: false,
    hasUpstream: false,
    observer: { call: (call) => void calls.push(call), event: (event) => void events.push(event) },
    ...given,
  })
  onTestFinished(() => running.close())
  const portOf = (role: string): number => {
    const url = running.listeners.find((one) => one.role === role)?.url
    return url?.startsWith('http:') === true ? Number(new URL(url).port) : 0
  }
  return { port: portOf('authz'), grpcPort: portOf('authz-grpc'), calls, events }
}

/** A request without proof. */
export function plain(
  headers: Readonly<Record<string, string>> = {},
  given: Partial<SentRequest> = {},
): SentRequest {
  return { method: 'POST', target: '/a2a?x=1', headers: Object.entries(headers), body: Buffer.of(), ...given }
}

/** What each front sends of the request that it holds, as its configuration says. */
export const subRequests = {
  nginx: (request) => asked('/auth/nginx', request, 'X-Original-Method', 'X-Original-URI'),
  caddy: (request) => asked('/auth/caddy', request, 'X-Forwarded-Method', 'X-Forwarded-Uri'),
  traefik: (request) => asked('/auth/traefik', request, 'X-Forwarded-Method', 'X-Forwarded-Uri'),
  haproxy: (request) => asked('/auth/haproxy', request, 'X-Original-Method', 'X-Original-URI'),
  envoy: ({ method, target, headers }) => ({
    method,
    target: `/auth/envoy${target}`,
    headers,
    body: Buffer.of(),
  }),
} as const satisfies Readonly<Record<string, (request: SentRequest) => SentRequest>>

export type Front = keyof typeof subRequests
export const fronts = Object.keys(subRequests) as Front[]
/** Those that pass an answer on as it is. */
export const exactFronts = fronts.filter((front) => front !== 'nginx')

function asked(
  endpoint: string,
  { method, target, headers }: SentRequest,
  methodField: string,
  targetField: string,
): SentRequest {
  const said = [[methodField, method] as const, [targetField, target] as const]
  return { method: 'GET', target: endpoint, headers: [...headers, ...said], body: Buffer.of() }
}

/** Asks as a front does. For nginx, also asks for the answer that its client then gets. */
export async function askAs(
  front: Front,
  port: number,
  request: SentRequest,
): Promise<Answer & { readonly denied?: Answer }> {
  const answer = await sendRaw(port, subRequests[front](request))
  if (front !== 'nginx' || answer.status !== 401) return answer
  return { ...answer, denied: await sendRaw(port, deniedAfter(answer)) }
}

/** What nginx asks for after a refusal: its three fields alone. */
export function deniedAfter(answer: Answer, headers: SentRequest['headers'] = []): SentRequest {
  const fields = fieldsOf(answer).filter(([name]) => /^totp/i.test(name))
  return { method: 'GET', target: '/denied', headers: [...fields, ...headers], body: Buffer.of() }
}

/** The field lines of an answer, in order. */
export function fieldsOf({ head = '' }: Answer): (readonly [name: string, value: string])[] {
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(/: ?(.*)/s, 2) as [string, string])
}

export function fieldOf(answer: Answer, name: string): string | undefined {
  return fieldsOf(answer).find(([one]) => one.toLowerCase() === name)?.[1]
}

/** An answer without what every server writes: the date and the fate of the connection. */
export function seenOf(answer: Answer): object {
  const { status, body } = answer
  const headers = fieldsOf(answer)
    .filter(([name]) => !/^(date|connection|keep-alive)$/i.test(name))
    .map(([name, value]) => [name.toLowerCase(), value])
  return { status, headers, body }
}
