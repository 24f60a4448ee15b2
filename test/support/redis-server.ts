import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-ports.js'

/** The program to test against: `$REDIS_SERVER`, say a valkey-server, or Debian's redis-server. */
const program = process.env['REDIS_SERVER'] ?? 'redis-server'

/** Whether there is a Redis to test against; where there is none, says so, or throws if CI must have one. */
export function hasRedis({ requiredInCi = false } = {}): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch (error) {
    if (requiredInCi && process.env['CI'] === 'true')
      throw new Error(`${program} is missing`, { cause: error })
    console.warn(`SKIPPED: everything that needs a Redis, because ${program} is not installed`)
    return false
  }
}

/** A Redis of its own on the loopback address, which keeps nothing on disk unless it is told to. */
export class RedisServer {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'a2a-totp-redis-'))
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
  }

  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options)
    await server.resume()
    return server
  }

  /** Starts it again after a {@link crash}, on the same port and with what it left on disk. */
  async resume(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '']
    this.#process = spawn(program, [...own, ...this.#options], { stdio: 'ignore' })
    for (let tries = 0; !(await answers(this.port)); tries++) {
      if (tries === 200) throw new Error(`${program} did not come up`)
      await sleep(25)
    }
  }

  /** Ends it without a chance to write anything. */
  async crash(): Promise<void> {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }

  /** Removes what a {@link crash} left on disk. */
  forget(): void {
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(this.#folder)
  }

  /** Lets it hang: connections stay open and nothing is answered. */
  freeze(): Promise<void> {
    this.#process?.kill('SIGSTOP')
    return Promise.resolve()
  }

  thaw(): Promise<void> {
    this.#process?.kill('SIGCONT')
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    await this.crash()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      done(data.toString().startsWith('+PONG'))
    })
    socket.once('error', () => done(false))
  })
}
