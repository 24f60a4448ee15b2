import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }

/**
 * Has a program do some job of each kind in a folder: provision, draw and read a QR code, get a lost store back from the
 * files of agent and peer, protect an agent and probe it.
 *
 * @param words what starts the program: its path, or that of Node and its path
 */
export async function smokeTest(words: readonly [string, ...string[]], cwd: string): Promise<void> {
  const [command, ...before] = words
  const env = { PATH: process.env['PATH'], HOME: cwd }
  const run = (...args: string[]): string =>
    execFileSync(command, [...before, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }).toString()

  expect(run('--version')).toBe(`${packageJson.version}\n`)
  expect(run('add-peer', '--help')).toContain('Usage: a2a-totp add-peer ')
  run('init')
  run('add-peer', 'alice', 'bob')
  expect(run('code', 'alice')).toMatch(/^\d{6}\n$/)
  // A picture and YAML are read in threads, each of which has a file of its own.
  run('show', 'alice', '--qr-file', 'alice.png')
  run('init', '--store', 'other.json')
  expect(run('import', 'alice.png', '--store', 'other.json')).toBe('imported 1, skipped 0\n')
  writeFileSync(join(cwd, 'agent.json'), run('config', 'server'))
  writeFileSync(join(cwd, 'bob.yaml'), run('config', 'client', 'bob', '--format', 'yaml'))
  run('init', '--store', 'lost.json')
  run('import', 'agent.json', '--store', 'lost.json')
  run('import', 'bob.yaml', '--store', 'lost.json')
  expect(run('code', 'bob', '--store', 'lost.json')).toMatch(/^\d{6}\n$/)
  run('mesh', 'init')

  const agent = spawn(command, [...before, 'demo'], { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void agent.kill('SIGKILL'))
  const [card] = (await once(createInterface({ input: agent.stdout }), 'line')) as [string]
  const report = JSON.parse(run('probe', new URL(card).origin, 'alice', '--json')) as { ok: boolean }
  expect(report.ok).toBe(true)
}
