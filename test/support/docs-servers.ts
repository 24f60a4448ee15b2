/** Runs the code of a page of docs/server, or of the README, with this package's sources in it. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { bundled } from './bundled.js'
import { temporaryFolder } from './folder.js'
import { freePort } from './free-ports.js'
import { bearerOf, codeOf } from './guarded.js'
import { serverFile } from './server-file.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const folder = temporaryFolder()

export function blocksOf(page: string): string[] {
  const text = readFileSync(join(root, page === 'README' ? '' : 'docs/server', `${page}.md`), 'utf8')
  return Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, code = '']) => code)
}

/** The `agent.ts` that readers begin with. */
export function firstAgent(): string {
  const [code = '', ...others] = blocksOf('express').filter((block) => block.startsWith('// agent.ts\n'))
  expect(others).toEqual([])
  expect(code).toContain('8080')
  return code
}

/** Runs the server of a page, its one block that reads a server file, with the agent of the tests or another one. */
export function start(page: string, edit?: (code: string) => string, agent?: string): Promise<number> {
  const [code = '', ...others] = blocksOf(page).filter((block) => block.includes("'billing.json'"))
  expect(others).toEqual([])
  expect(code).not.toBe('')
  return run(page, edit?.(code) ?? code, {}, agent)
}

/** What the last page that was run has printed. */
export const printed = (): { output: string; errors: string } => lastPrinted()
let lastPrinted = (): { output: string; errors: string } => ({ output: '', errors: '' })

/** Runs a page's code as a process of its own, and gives the port that it listens on. */
export async function run(
  page: string,
  code: string,
  env: Record<string, string> = {},
  agent?: string,
): Promise<number> {
  const port = await freePort()
  const file = join(folder, `${page}.json`)
  writeFileSync(file, JSON.stringify(serverFile()), { mode: 0o600 })
  expect(code).toContain('8080')
  const own = code.replace("'billing.json'", JSON.stringify(file)).replaceAll('8080', String(port))
  const child = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  lastPrinted = () => ({ output, errors })
  child.stdin.end(await bundled(own, agent?.replaceAll('8080', String(port))))
  await expect
    .poll(
      async () => {
        expect([child.exitCode, errors]).toEqual([null, ''])
        return fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          (error: unknown) => (error as { cause?: NodeJS.ErrnoException }).cause?.code !== 'ECONNREFUSED',
        )
      },
      { interval: 100 },
    )
    .toBe(true)
  return port
}

export const both = (bearer = bearerOf('alice')): Record<string, string> => ({
  Authorization: bearer,
  'X-TOTP': codeOf('alice', new Date()),
})

/** Asks for a task that is not there: whoever is let in is told so. */
export const ask = (port: number, headers: Record<string, string>): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/a2a/jsonrpc`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'GetTask', params: { id: 'none' } }),
  })

export async function expectGuarded(port: number, answer: string, bearer?: string): Promise<void> {
  const { Authorization = '', ...code } = both(bearer)
  for (const headers of [{}, { Authorization }, code]) expect((await ask(port, headers)).status).toBe(401)
  const response = await ask(port, both(bearer))
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(answer)])
}
