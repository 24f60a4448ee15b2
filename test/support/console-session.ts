import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { binary } from './cli.js'
import { freePort } from './free-ports.js'

/** One command of a `console` block with the output that the page shows. */
export interface Step {
  readonly command: string
  readonly output: string
}

/** The commands of a page's `console` blocks, in order. */
export function stepsOf(page: string): Step[] {
  const blocks = Array.from(page.matchAll(/```console\n(.*?)```/gs), ([, block = '']) => block)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => ({
        command: step.split('\n')[0] ?? '',
        output: step.split('\n').slice(1).join('\n').trimEnd(),
      })),
  )
}

/**
 * Runs the steps one after the other in a folder, and expects the output that the page shows. Pages use port 4100, and 4200
 * for a second agent; where a page shows `…`, any text is fine. What `export` sets stays set, as in one shell.
 */
export async function followSteps(
  steps: readonly Step[],
  cwd: string,
  port: number,
  secondPort?: number,
): Promise<void> {
  const bin = join(cwd, '.bin')
  mkdirSync(bin)
  symlinkSync(binary, join(bin, 'a2a-totp'))
  const env: Record<string, string> = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd }
  const options = { cwd, env }
  const firstProbe = steps.find(({ command }) => command.startsWith('a2a-totp probe http'))
  const second =
    secondPort ?? (steps.some(({ command }) => command.includes('4200')) ? await freePort() : undefined)
  for (const { command, output } of steps) {
    const [, name, value = ''] = /^export (\w+)=(\S+)$/.exec(command) ?? []
    if (name !== undefined) {
      env[name] = value
      continue
    }
    if (command === firstProbe?.command) await enoughOfStep()
    const real = command
      .replace('4100', String(port))
      .replace('4200', String(second))
      .replace(/\s+#.*$/, '')
    const printed = real.endsWith('&') ? await inBackground(real.slice(0, -1)) : await inForeground(real)
    expect(`$ ${command}\n${shortenedLike(output, normalised(printed, cwd))}`).toBe(
      `$ ${command}\n${normalised(output, cwd)}`,
    )
  }

  async function inForeground(line: string): Promise<string> {
    const { stdout } = await promisify(execFile)('/bin/bash', ['-c', `{ ${line}\n} 2>&1; exit 0`], options)
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
}

/**
 * Waits for a time step that is long enough for the probes of a page. In one step they all send the same wrong codes,
 * while those of two steps exceed the agent's budget.
 */
async function enoughOfStep(): Promise<void> {
  const left = 30_000 - (Date.now() % 30_000)
  if (left < 20_000) await new Promise((done) => setTimeout(done, left))
}

/** The page's text where the printed one is the same but for what the page leaves out; else the printed one. */
function shortenedLike(shown: string, printed: string): string {
  const expected = normalised(shown, '')
  if (!expected.includes('…')) return printed
  const pattern = expected
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  return new RegExp(`^${pattern}$`, 's').test(printed) ? expected : printed
}

/** What differs from run to run, made the same: ids, codes, times, users, waits, counts of milliseconds, this folder's path. */
function normalised(text: string, folder: string): string {
  return (
    text
      .replaceAll(folder === '' ? /$^/g : folder, '/home/me/mesh')
      .replace(/\b([rst])-[0-9a-f]{10}\b/g, '$1-0123456789')
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-11-29T09:14:02.113Z')
      .replace(/^(2026-11-29T09:14:02.113Z {2})\S+@\S+/gm, '$1me@desk')
      .replace(/\b\d+ s \(± \d s\)/g, '95 s (± 1 s)')
      .replace(/\bis 9\d seconds/g, 'is 95 seconds')
      .replace(/"drift":-[34]\b/g, '"drift":-3')
      // Where the agent has not followed its file yet.
      .replace(/^waiting until the agent lets .*\n/gm, '')
      .replace(/^\d{6}$/gm, '123456')
      .replace(/^(X-TOTP: )\d{6}$/gm, '$1123456')
      .replace(/a2at_[\w-]{43}/g, 'a2at_…')
      .replace(/valid for \d+ s/g, 'valid for 9 s')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:4100')
      .replace(/\d+ requests, 4 guesses, \d+\.\d s/g, '158 requests, 4 guesses, 0.3 s')
      .replace(/\d+s +(SHA)/g, '0s  $1')
      .trimEnd()
  )
}
