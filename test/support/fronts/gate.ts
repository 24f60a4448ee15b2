import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../../../src/core/roster.js'
import { generateCode } from '../../../src/core/totp.js'
import { makeServerFile } from '../../../src/fragments/index.js'
import { peerOf, rosterOf } from '../roster.js'
import { commandGate } from './gate-command.js'
import { gateInProcess } from './gate-in-process.js'

const named = (name: string, more: Partial<Peer> = {}): Peer => ({
  ...peerOf(name, more),
  createdAt: new Date(0),
})

/** Without proofs; their steps are short, so that a gate that has just started soon lets them in. */
const onceInShortSteps = { replay: 'once', period: 10 } as const

/** Carol's codes are guessed at; dora signs, and erin and frank send plain codes, which may be used once. */
export const peers = {
  alice: named('alice', { signed: 'accept' }),
  carol: named('carol'),
  dora: named('dora', { replay: 'once', signed: 'accept' }),
  erin: named('erin', onceInShortSteps),
  frank: named('frank', onceInShortSteps),
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

/** What a front has asked, as the gate reports it. */
export interface SeenCall {
  readonly proof?: string | undefined
  readonly source?: string | undefined
}

/** A gate that runs, as `gate --authz … --authz-grpc …` starts it. */
export interface RunningGate {
  readonly port: number
  readonly grpcPort: number
  /** What it was asked so far, by fronts and by tests. */
  calls(): Promise<readonly SeenCall[]>
  close(): Promise<void>
}

export interface GatePlace {
  /** With the server file `server.json`. */
  readonly folder: string
  readonly port: number
  readonly grpcPort: number
  /** What a front has to send. In this process alone. */
  readonly frontToken?: string
}

/** `command`: the built binary. */
export type GateKind = 'in-process' | 'command'

const starts: Readonly<Record<GateKind, (place: GatePlace) => Promise<RunningGate>>> = {
  'in-process': gateInProcess,
  command: commandGate,
}

export interface TestGate {
  readonly port: number
  readonly grpcPort: number
  /** What it was asked since it was told to forget, by fronts and by tests. */
  calls(): Promise<readonly SeenCall[]>
  forget(): Promise<void>
  stop(): Promise<void>
  /** At the same addresses. */
  start(): Promise<void>
  end(): Promise<void>
}

/** A gate that answers fronts. */
export async function startTestGate(
  kind: GateKind,
  { frontToken }: Pick<GatePlace, 'frontToken'> = {},
): Promise<TestGate> {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-gate-'))
  writeFileSync(join(folder, 'server.json'), JSON.stringify(makeServerFile({ roster, at: new Date() })), {
    mode: 0o600,
  })
  let gate = await starts[kind]({ folder, port: 0, grpcPort: 0, frontToken })
  const { port, grpcPort } = gate
  let forgotten = 0
  return {
    port,
    grpcPort,
    calls: async () => (await gate.calls()).slice(forgotten),
    forget: async () => void (forgotten = (await gate.calls()).length),
    stop: () => gate.close(),
    start: async () => {
      gate = await starts[kind]({ folder, port, grpcPort, frontToken })
      forgotten = 0
    },
    end: async () => {
      await gate.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
