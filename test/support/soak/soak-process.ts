import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { binary } from '../cli.js'

const preload = fileURLToPath(new URL('preload.cjs', import.meta.url))

/** What a process holds after its garbage was collected. */
export interface Holding {
  /** In bytes. */
  readonly heapUsed: number
  /** In bytes, outside of the heap: buffers. */
  readonly external: number
  /** Active resources by kind. */
  readonly handles: Readonly<Record<string, number>>
  /** Open file descriptors. */
  readonly fds: number
}

export interface SaidLine {
  readonly at: number
  readonly text: string
}

/** How many lines of a log are kept, to be shown beside a failure. */
const keptLines = 20_000

/** A program of the built binary whose clock can be set, and which tells what it holds. It is killed when the test is over. */
export class SoakProcess {
  readonly #child: ChildProcess
  readonly #said = new EventEmitter<{ line: [string] }>()
  readonly #answers = new EventEmitter<Record<string, [Omit<Holding, 'fds'>]>>()
  #lines: SaidLine[] = []
  #asked = 0

  private constructor(
    readonly name: string,
    args: readonly string[],
    cwd: string,
  ) {
    this.#said.setMaxListeners(100)
    this.#child = spawn(process.execPath, ['--expose-gc', '--require', preload, binary, ...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd, NODE_DISABLE_COMPILE_CACHE: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    onTestFinished(() => void this.#child.kill('SIGKILL'))
    this.#child.on('message', (answer: Omit<Holding, 'fds'> & { id: number }) =>
      this.#answers.emit(String(answer.id), answer),
    )
    if (this.#child.stderr)
      createInterface({ input: this.#child.stderr }).on('line', (text) => {
        this.#lines.push({ at: Date.now(), text })
        if (this.#lines.length > keptLines) this.#lines = this.#lines.slice(keptLines / 2)
        this.#said.emit('line', text)
      })
  }

  /** Starts it, and reads the JSON that it prints once it is ready. */
  static async start(
    name: string,
    args: readonly string[],
    cwd: string,
  ): Promise<{ started: SoakProcess; printed: unknown }> {
    const started = new SoakProcess(name, args, cwd)
    const { stdout } = started.#child
    if (!stdout) throw new Error('no stdout')
    const [line] = (await Promise.race([
      once(createInterface({ input: stdout }), 'line'),
      once(started.#child, 'close').then(() => {
        throw new Error(started.#lines.map(({ text }) => text).join('\n'))
      }),
    ])) as [string]
    return { started, printed: JSON.parse(line) as unknown }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  onLine(hear: (text: string) => void): void {
    this.#said.on('line', hear)
  }

  /** Waits for a line of the log that is still to come. */
  async willSay(wanted: (text: string) => boolean, withinMs: number): Promise<void> {
    await new Promise<void>((done, fail) => {
      const hear = (text: string): void => {
        if (wanted(text)) end(done)
      }
      const late = setTimeout(() => end(() => fail(new Error(`the ${this.name} did not say it`))), withinMs)
      const end = (then: () => void): void => {
        clearTimeout(late)
        this.#said.off('line', hear)
        then()
      }
      this.#said.on('line', hear)
    })
  }

  /** What it said between two instants. */
  saidBetween(from: number, until: number): SaidLine[] {
    return this.#lines.filter(({ at }) => at >= from && at <= until)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when its clock is ahead of the real one by so much. */
  async setClock(aheadMs: number): Promise<void> {
    await this.#ask({ aheadMs })
  }

  async holding(): Promise<Holding> {
    const { heapUsed, external, handles } = await this.#ask({})
    return { heapUsed, external, handles, fds: readdirSync(`/proc/${this.#child.pid}/fd`).length }
  }

  async #ask(question: { aheadMs?: number }): Promise<Omit<Holding, 'fds'>> {
    const id = this.#asked++
    const answered = once(this.#answers, String(id), { signal: AbortSignal.timeout(20_000) })
    this.#child.send({ id, ...question })
    const [answer] = (await answered) as [Omit<Holding, 'fds'>]
    return answer
  }
}
