import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../../../src/core/roster.js'
import { generateCode } from '../../../src/core/totp.js'
import { makeServerFile } from '../../../src/fragments/index.js'
import { TOTPServerAuthScheme } from '../../../src/server/scheme/scheme.js'
import { startAuthz } from '../../../src/sidecar/authz/start.js'
import type { SidecarCall } from '../../../src/sidecar/sidecar.js'
import { peerOf, rosterOf } from '../roster.js'

const named = (name: string, more: Partial<Peer> = {}): Peer => ({
  ...peerOf(name, more),
  createdAt: new Date(0),
})

/** Carol's codes are guessed at, dora's may be used once. */
export const peers = {
  alice: named('alice', { signed: 'accept' }),
  carol: named('carol'),
  dora: named('dora', { replay: 'once', signed: 'accept' }),
}
export const roster = rosterOf(Object.values(peers), { agent: 'billing' })

export type PeerName = keyof typeof peers

const seedIn = ({ seeds }: Peer): NonNullable<Peer['seeds'][number]> => {
  const [first] = seeds
  if (!first) throw new Error('no seed')
  return first
}

export const seedOf = (name: PeerName): string => seedIn(peers[name]).seed.base32
export const tokenOf = (name: PeerName): string => peers[name].tokens[0]?.token.value ?? ''
export const codeOf = (name: PeerName): string =>
  generateCode(seedIn(peers[name]).seed, { ...roster.profile, ...peers[name] }, new Date())

export interface TestGate {
  readonly port: number
  readonly grpcPort: number
  /** What it was asked, by fronts and by tests. */
  readonly calls: SidecarCall[]
  stop(): Promise<void>
  /** At the same addresses. */
  start(): Promise<void>
  end(): Promise<void>
}

/** A gate that answers fronts, as the command starts it. */
export async function startTestGate(): Promise<TestGate> {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-gate-'))
  const file = join(folder, 'server.json')
  writeFileSync(file, JSON.stringify(makeServerFile({ roster, at: new Date() })), { mode: 0o600 })
  const scheme = TOTPServerAuthScheme.fromFile(file)
  const calls: SidecarCall[] = []
  const addresses = { http: { host: '127.0.0.1', port: 0 }, grpc: { host: '127.0.0.1', port: 0 } }
  const start = (): ReturnType<typeof startAuthz> =>
    startAuthz({
      scheme,
      ...addresses,
      identityOf: ({ peer }) => [['TotpPeer', peer]],
      bodyUnchecked: false,
      hasUpstream: false,
      observer: {
        call: (call) => void calls.push(call),
        event: () => undefined,
      },
    })
  let authz = await start()
  const portOf = (role: string): number =>
    Number(new URL(authz.listeners.find((one) => one.role === role)?.url ?? '').port)
  addresses.http.port = portOf('authz')
  addresses.grpc.port = portOf('authz-grpc')
  return {
    port: addresses.http.port,
    grpcPort: addresses.grpc.port,
    calls,
    stop: () => authz.close(),
    start: async () => void (authz = await start()),
    end: async () => {
      await authz.close()
      scheme.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
