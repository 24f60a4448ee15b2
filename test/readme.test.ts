import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { binary, makeFolder } from './support/cli.js'

const readme = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')

interface Step {
  readonly command: string
  readonly output: string
}

/** The commands of the README's sessions with what it says they print. Those that install are tried by hand and in CI. */
function sessions(): Step[] {
  const blocks = Array.from(readme.matchAll(/```console\n(.*?)```/gs), ([, block = '']) => block)
  const steps = blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => ({
        command: step.split('\n')[0] ?? '',
        output: step.split('\n').slice(1).join('\n').trimEnd(),
      })),
  )
  return steps.filter(({ command }) => !/^(npm|git|cd) /.test(command))
}

/** What differs from run to run, made the same: ids, codes, times, counts of milliseconds, this folder's path. */
function normalised(text: string, folder: string): string {
  return text
    .replaceAll(folder, '/home/me/mesh')
    .replace(/\b([st])-[0-9a-f]{10}\b/g, '$1-0123456789')
    .replace(/^\d{6}$/gm, '123456')
    .replace(/^(X-TOTP: )\d{6}$/gm, '$1123456')
    .replace(/a2at_[\w-]{43}/g, 'a2at_…')
    .replace(/valid for \d+ s/g, 'valid for 9 s')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:4100')
    .replace(/\d+ requests, 4 guesses, \d+\.\d s/g, '158 requests, 4 guesses, 0.3 s')
    .replace(/\d+s +(SHA)/g, '0s  $1')
    .trimEnd()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

it('shows commands that print what it says they print', async () => {
  const cwd = makeFolder()
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  symlinkSync(binary, join(bin, 'a2a-totp'))
  const port = await freePort()
  const options = { cwd, env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd } }
  const steps = sessions()
  expect(steps.length).toBeGreaterThan(5)
  for (const { command, output } of steps) {
    const real = command.replace('4100', String(port)).replace(/\s+#.*$/, '')
    const printed = real.endsWith('&') ? await inBackground(real.slice(0, -1)) : await inForeground(real)
    expect(`$ ${command}\n${normalised(printed, cwd)}`).toBe(`$ ${command}\n${normalised(output, cwd)}`)
  }

  async function inForeground(line: string): Promise<string> {
    const { stdout } = await promisify(execFile)('/bin/bash', ['-c', `${line} 2>&1; exit 0`], options)
    return stdout
  }

  async function inBackground(line: string): Promise<string> {
    const child = spawn('/bin/bash', ['-c', `exec ${line}`], {
      ...options,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void child.kill('SIGTERM'))
    const [first] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    return first
  }
}, 60_000)
