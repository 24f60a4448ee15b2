import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { callerOf, totpGuard } from '../../src/server/node.js'
import { makeFolder, runCli } from './cli.js'

/** A real agent with a store of its own, which lets alice and bob in. */
export interface OneAgent {
  readonly name: string
  readonly origin: string
  /** The folder of its store. */
  readonly cwd: string
  /** Tokens that arrived, in their order. */
  readonly tokens: string[]
  /** What a client file says of it for alice now. */
  readonly entry: () => Promise<Record<string, unknown>>
}

/** Starts an agent that answers each call with its own name and the caller's. */
export async function startOne(name: string): Promise<OneAgent> {
  const cwd = makeFolder()
  const run = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCli(args, { cwd })
    if (exitCode !== 0) throw new Error(stderr)
    return stdout
  }
  await run('init', '--agent', name)
  await run('add-peer', 'alice', 'bob')
  await run('config', 'server', '--out', 'server.json')
  const scheme = TOTPServerAuthScheme.fromFile(join(cwd, 'server.json'), { onEvent: () => undefined })
  const guarded = totpGuard(scheme, (req, res) => {
    res.end(`${name} heard ${callerOf(req)?.peer ?? 'nobody'}`)
  })
  const tokens: string[] = []
  const server = createServer((req, res) => {
    tokens.push((req.headers.authorization ?? '').replace('Bearer ', ''))
    guarded(req, res)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    scheme.close()
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await run('set', '--url', origin)
  const entry = async (): Promise<Record<string, unknown>> => {
    const file = JSON.parse(await run('config', 'client', 'alice', '--format', 'json')) as {
      agents: Record<string, Record<string, unknown>>
    }
    return file.agents[name] ?? {}
  }
  return { name, origin, cwd, tokens, entry }
}

/** Alice's client file for some agents, in their order. */
export async function fileFor(agents: readonly Pick<OneAgent, 'name' | 'entry'>[]): Promise<string> {
  const entries: Record<string, unknown> = {}
  for (const { name, entry } of agents) entries[name] = await entry()
  return JSON.stringify({ version: 1, peer: 'alice', agents: entries })
}

/** Writes a client file as `mesh apply` does: whole, under its name. */
export function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Billing, stock and orders, and the path of alice's client file for them. */
export async function threeAgents(): Promise<{
  agents: readonly [OneAgent, OneAgent, OneAgent]
  file: string
}> {
  const agents = [await startOne('billing'), await startOne('stock'), await startOne('orders')] as const
  const file = join(makeFolder(), 'alice.json')
  put(file, await fileFor(agents))
  return { agents, file }
}
