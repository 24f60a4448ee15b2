import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FragmentFile } from '../../../src/fragments/index.js'
import { accepting } from '../proxies.js'

/** A program that can stand in front of an agent, by the format of its configuration. */
export type FrontProgram = 'nginx' | 'caddy' | 'traefik' | 'haproxy' | 'envoy'

interface Command {
  readonly program: () => string
  /** Its arguments, in the folder of the files; the first is the main one. */
  readonly args: (names: readonly string[]) => readonly string[]
  /** A file besides, which the fragment is included in. */
  readonly around?: (names: readonly string[]) => FragmentFile
}

const installed = (name: string) => (): string =>
  ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
    .map((folder) => join(folder, name))
    .find((path) => spawnSync(path, ['-v'], { stdio: 'ignore' }).error === undefined) ?? name

const venv = fileURLToPath(new URL('../../../.venvs/stacks/fronts', import.meta.url))

const commands: Readonly<Record<FrontProgram, Command>> = {
  nginx: {
    program: installed('nginx'),
    args: () => ['-p', '.', '-e', 'stderr', '-c', 'main.conf'],
    around: ([main = '']) => ({ name: 'main.conf', content: mainOf(main) }),
  },
  haproxy: { program: installed('haproxy'), args: ([main = '']) => ['-db', '-f', main] },
  caddy: {
    program: () => join(venv, 'bin/caddy'),
    args: ([main = '']) => ['run', '--config', main, '--adapter', 'caddyfile'],
  },
  traefik: {
    program: () => join(venv, 'bin/traefik'),
    args: ([, staticFile = '']) => [`--configFile=${staticFile}`],
  },
  envoy: {
    // The command of the wheel is a script that starts this one.
    program: () => {
      const [python = ''] = readdirSync(join(venv, 'lib'))
      return join(venv, 'lib', python, 'site-packages/envoy/_bin/envoy')
    },
    args: ([main = '']) => ['-c', main, '--concurrency', '1', '--disable-hot-restart'],
  },
}

/** An nginx.conf around a fragment, for a user that is not root. */
const mainOf = (fragment: string): string => `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  include ${fragment};
}
`

export interface RunningProgram {
  /** What it has said. */
  said(): string
  close(): Promise<void>
}

/** Starts a program in a folder of its own with these files, and waits until it listens at all these ports. */
export async function runFront(
  front: FrontProgram,
  files: readonly FragmentFile[],
  ports: readonly number[],
): Promise<RunningProgram> {
  const { program, args, around } = commands[front]
  const folder = mkdtempSync(join(tmpdir(), `a2a-totp-${front}-`))
  const names = files.map(({ name }) => name)
  for (const { name, content } of [...files, ...(around ? [around(names)] : [])])
    writeFileSync(join(folder, name), content)
  const child = spawn(program(), args(names), {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const exit = Promise.race([once(child, 'exit'), once(child, 'error')])
  const ended = exit.then(() => {
    throw new Error(`${front} ended: ${said}`)
  })
  ended.catch(() => undefined)
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exit.catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  }
  await Promise.race([Promise.all(ports.map(accepting)), ended]).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return { said: () => said, close }
}
