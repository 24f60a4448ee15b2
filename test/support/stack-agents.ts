import type { ChildProcess } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { BearerTokenAuth, TOTPClientAuthScheme, totpFetch } from '../../src/client/index.js'
import { makeStore, parseJson, runBinary, runCli } from './cli.js'
import { readByDotenv } from './env-readers.js'
import { serveApp, startInStack, writeProgramsOf, type RunningApp, type Stack } from './stacks.js'

/** What a reader of the pages has already: agents with a model of their own. */
const given = fileURLToPath(new URL('../stacks/given/', import.meta.url))

/** Peers of each store. */
export type StackPeer = 'alice' | 'bob'

/** For `it.each`: how a client is let in, and options of `a2a-totp init`. */
export const clientRuns: readonly (readonly [how: string, init: readonly string[]])[] = [
  ['twice in a row', []],
  ['twice in a row under --strict, where each request is signed', ['--strict']],
]

/**
 * A folder with a store of alice and bob, its server file, the programs of a stack's page, and the modules that the page
 * takes from its reader.
 *
 * @param init options of `a2a-totp init`
 */
export async function makeStackFolder(stack: Stack, init: readonly string[] = []): Promise<string> {
  const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing', ...init])
  const { exitCode, stderr } = await runCli(['config', 'server', '--out', 'server.json'], { cwd })
  if (exitCode !== 0) throw new Error(stderr)
  writeProgramsOf(stack, cwd)
  if (existsSync(given + stack)) cpSync(given + stack, cwd, { recursive: true })
  return cwd
}

/** Serves `server.py` of the folder, as its page says, on a free port. */
export const serveStack = (
  stack: Stack,
  cwd: string,
  env: Record<string, string> = {},
): Promise<RunningApp> =>
  serveApp(stack, 'server:app', {
    path: cwd,
    env: { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json'), ...env },
  })

/** What `config client --format env` says for a peer, and where the agent is. */
async function variablesOf(cwd: string, peer: StackPeer, url: string): Promise<Record<string, string>> {
  const file = `${peer}.env`
  const { exitCode, stderr } = await runCli(['config', 'client', peer, '--out', file, '--force'], { cwd })
  if (exitCode !== 0) throw new Error(stderr)
  return { ...readByDotenv(readFileSync(join(cwd, file), 'utf8')), A2A_TOTP_URL: url }
}

/** Runs a program of the page as a peer: the lines that it prints. Fails with what it said on stderr. */
export async function runAs(
  stack: Stack,
  peer: StackPeer,
  {
    cwd,
    url,
    program = 'client.py',
    env = {},
  }: { cwd: string; url: string; program?: string; env?: Record<string, string> },
): Promise<string[]> {
  const variables = { ...(await variablesOf(cwd, peer, url)), ...env }
  return linesOf(startInStack(stack, [join(cwd, program)], { path: cwd, env: variables }))
}

/**
 * Probes an agent with `--strict` and `--isolation`: bob asks for a task of alice's. Fails unless the run passed.
 *
 * @returns the cells in which both factors were let in, in the probe's words
 */
export async function cellsProbed(cwd: string, url: string): Promise<string[]> {
  const args = ['probe', url, 'alice', '--strict', '--isolation', '--other-peer', 'bob', '--json']
  const run = await runBinary(args, { cwd })
  const { ok, checks } = parseJson(run) as {
    ok: boolean
    checks: { id: string; status: string; binding: string; protocolVersion: string }[]
  }
  const found = checks.filter(({ status }) => status === 'fail' || status === 'warn')
  expect(found.map((check) => JSON.stringify(check))).toEqual([])
  expect({ ok, exitCode: run.exitCode }).toEqual({ ok: true, exitCode: 0 })
  const passed = (id: string): string[] =>
    checks
      .filter((check) => check.id === id && check.status === 'pass')
      .map(({ binding, protocolVersion }) => `${binding} ${protocolVersion}`)
      .sort()
  // So many cells were asked with bob's credentials, and none of them gave him alice's task.
  expect(passed('isolation')).toEqual(passed('auth.valid'))
  return passed('auth.valid')
}

/** Calls an agent's JSON-RPC as a peer, past any SDK: what it answers. */
export async function callerAs(
  cwd: string,
  peer: StackPeer,
  url: string,
): Promise<(method: string, params: object) => Promise<unknown>> {
  const { A2A_TOTP_TOKEN: token = '', A2A_TOTP_SEED: seed = '' } = await variablesOf(cwd, peer, url)
  const send = totpFetch(new TOTPClientAuthScheme({ delegate: new BearerTokenAuth(token), seed }))
  return async (method, params) => {
    const response = await send(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(method.includes('/') ? {} : { 'A2A-Version': '1.0' }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    expect(response.status).toBe(200)
    return response.json()
  }
}

/** What a program printed that ended well. */
function linesOf(child: ChildProcess): Promise<string[]> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((done, fail) => {
    child.on('close', (code) => {
      if (code === 0) done(stdout.trimEnd().split('\n'))
      else fail(new Error(`it ended with ${String(code)}: ${stderr}`))
    })
  })
}
