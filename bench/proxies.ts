import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { binary, helper } from './paths.js'
import { pin } from './server-process.js'

export interface Usage {
  /** CPU time so far, in milliseconds. */
  readonly cpu: number
  /** The bytes that are resident. */
  readonly memory: number
}

/** As the kernel counts for all threads, so that every program is measured alike. */
function usageOf({ pid }: ChildProcess): Usage {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ran = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
  const nanoseconds = ran.reduce((sum, line) => sum + Number(line.split(' ', 1)[0]), 0)
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return { cpu: nanoseconds / 1e6, memory: pages * 4096 }
}

/** A server in a process of its own. */
export interface Proxy {
  readonly port: number
  readonly usage: Usage
  stop(): Promise<void>
}

/** A helper of the benchmarks. */
export class Helper implements Proxy {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(program: string, args: readonly string[], core: number): Promise<Helper> {
    const child = fork(helper(program), args)
    pin(child.pid, core)
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new Helper(child, port)
  }

  get usage(): Usage {
    return usageOf(this.#child)
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}

/** A program of any kind, which is one process, on the first core. */
export class Program implements Proxy {
  readonly #child: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  /**
   * A sidecar as users start it, with its log, on the store of a folder.
   *
   * @param args without `--listen` and `--json`
   */
  static async sidecar(folder: string, args: readonly string[], listen = '--listen'): Promise<Program> {
    const child = spawn(process.execPath, [binary, ...args, listen, '127.0.0.1:0', '--json'], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, A2A_TOTP_STORE: join(folder, 'a2a-totp.json') },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    pin(child.pid, 0)
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const { listeners } = JSON.parse(said.toString()) as { listeners: { url: string }[] }
    return new Program(child, Number(new URL(listeners[0]?.url ?? '').port))
  }

  /** One worker, which is the process itself. @param http what its `http` block has besides */
  static async nginx(folder: string, name: string, port: number, http: string): Promise<Program> {
    const file = join(folder, `${name}.conf`)
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder};
  fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  keepalive_requests 1000000; proxy_http_version 1.1; proxy_set_header Connection "";
  ${http}
}
`,
    )
    const child = spawn('nginx', ['-c', file], { stdio: 'ignore' })
    pin(child.pid, 0)
    for (let tries = 0; tries < 100; tries++) {
      const socket = connect(port, '127.0.0.1')
      const isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (isUp) return new Program(child, port)
      await sleep(50)
    }
    throw new Error('nginx has not started')
  }

  get usage(): Usage {
    return usageOf(this.#child)
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill()
    await exit
  }
}

/** A port that was free a moment ago, for programs that cannot be asked for theirs. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}
