import { join } from 'node:path'
import { makeStore, runCli, startBinary } from './cli.js'
import { firstLineOf, pythonTests, startPython } from './python.js'

/** An unguarded agent on a2a-sdk 1.x, a gate in front of it, and a proxy with alice's credentials in front of that. */
export interface SidecarChain {
  /** The folder with alice's and bob's store. */
  readonly cwd: string
  readonly agent: string
  readonly gate: string
  readonly proxy: string
}

/** Options of `init` by the policies on codes and proofs, and what the agent answers under them. */
export const policies = [
  ['off', ['--signed', 'off']],
  ['once', ['--replay', 'once', '--signed', 'accept']],
  ['require', ['--strict']],
] as const

/** What a client of {@link startChain} sees over every binding. */
export const seenByClients = {
  send: 'alice said: hello',
  stream: ['alice said: stream', 'and went on'],
  get: 'TASK_STATE_COMPLETED',
}

/**
 * Starts the chain; it is killed when the test is over.
 *
 * @param init further options of `init`
 * @param proxyOptions further options of `proxy`
 */
export async function startChain(
  init: readonly string[] = [],
  proxyOptions: readonly string[] = [],
): Promise<SidecarChain> {
  const unguarded = startPython('a2a-1', [join(pythonTests, 'agent_unguarded.py')])
  const [cwd, line] = await Promise.all([makeGuardedStore(init), firstLineOf(unguarded)])
  const agent = JSON.parse(line) as { http: string; grpc: string }
  const gate = await startSidecar(cwd, 'gate', [
    ...['--upstream', agent.http, '--grpc-upstream', agent.grpc],
    ...['--server-file', 'server.json', '--listen', '127.0.0.1:0'],
  ])
  const proxy = await startSidecar(cwd, 'proxy', [gate, 'alice', '--listen', '127.0.0.1:0', ...proxyOptions])
  return { cwd, agent: agent.http, gate, proxy }
}

async function makeGuardedStore(init: readonly string[]): Promise<string> {
  const cwd = await makeStore(['alice', 'bob'], init)
  const written = await runCli(['config', 'server', '--out', 'server.json'], { cwd })
  if (written.exitCode !== 0) throw new Error(written.stderr)
  return cwd
}

/** Starts one sidecar in the folder of a store: the origin of its first listener. */
export async function startSidecar(
  cwd: string,
  command: 'gate' | 'proxy',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const line = await firstLineOf(startBinary(['--quiet', '--json', command, ...args], { cwd, env }))
  const { listeners } = JSON.parse(line) as { listeners: { role: string; url: string }[] }
  const own = listeners.find(({ role }) => role === command)
  if (own === undefined) throw new Error(`${command} has no listener of its own: ${line}`)
  return new URL(own.url).origin
}
