import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { selfSigned } from './tls.js'

export type ProxyProgram = 'nginx' | 'haproxy'

/** `describe` for tests that need a proxy. Without it they are skipped, and say so; in CI they fail. */
export function describeWithProxy(program: ProxyProgram, name: string, tests: () => void): void {
  // Debian installs them where only root looks.
  const found = spawnSync(pathOf(program), ['-v'], { stdio: 'ignore' }).error === undefined
  if (found) return void describe(name, tests)
  const remedy = `needs ${program}; apt-get install ${program === 'nginx' ? 'nginx-light' : program}`
  describe(name, () => {
    if (process.env['CI']) {
      it(remedy, () => {
        throw new Error(remedy)
      })
    } else it.skip(remedy, () => undefined)
  })
}

const pathOf = (program: ProxyProgram): string =>
  ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
    .map((folder) => join(folder, program))
    .find((path) => spawnSync(path, ['-v'], { stdio: 'ignore' }).error === undefined) ?? program

export interface RunningProxy {
  readonly port: number
  /** The certificate to trust, if it serves TLS. */
  readonly ca: string
  close(): Promise<void>
}

/**
 * Starts a proxy with a configuration in which `PORT` is its port, `FOLDER` a folder of its own and `CERT` and `KEY` files
 * of its certificate, and waits until it listens.
 */
export async function startProxy(
  program: ProxyProgram,
  configuration: string,
  port: number,
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-proxy-'))
  const { key, cert } = selfSigned()
  const pem = join(folder, 'both.pem')
  writeFileSync(pem, Buffer.concat([cert, key]))
  const file = join(folder, 'proxy.conf')
  const text = configuration
    .replaceAll('PORT', String(port))
    .replaceAll('FOLDER', folder)
    .replaceAll(/CERT|KEY/g, pem)
  writeFileSync(file, text)
  const args = program === 'nginx' ? ['-p', folder, '-e', 'stderr', '-c', file] : ['-db', '-f', file]
  const child = spawn(pathOf(program), args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const exit = once(child, 'exit')
  const ended = exit.then(() => {
    throw new Error(`${program} ended: ${said}`)
  })
  ended.catch(() => undefined)
  await Promise.race([accepting(port), ended])
  return {
    port,
    ca: cert.toString(),
    close: async () => {
      child.kill('SIGTERM')
      await exit
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves as soon as a port accepts connections. */
export async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const accepted = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (accepted) return
    await new Promise((done) => setTimeout(done, 20))
  }
}

/** An nginx whose one server has those directives, and whose `http` has some besides. */
export const nginxConfiguration = (server: string, http = ''): string => `
daemon off;
master_process off;
worker_processes 1;
pid FOLDER/nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  ${http}
  server {
    ${server}
  }
}
`

/** An HAProxy whose one frontend has those rules, in front of one server. */
export const haproxyConfiguration = (to: number, rules: string, bind = ''): string => `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:PORT ${bind}
${rules
  .split('\n')
  .map((line) => `  ${line.trim()}`)
  .join('\n')}
  default_backend agent
backend agent
  server one 127.0.0.1:${to}
`
