import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { ChildProcess } from 'node:child_process'
import type { Attempt, Decision, LateCode, State } from '../../src/state/state.js'
import { pythonTests, startPython } from './python.js'

/** Python's states in a process of their own, asked by lines of JSON. */
export class PythonStates {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #ended: Promise<never>
  #made = 0
  #errors = ''
  /** One question after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor() {
    this.#child = startPython('a2a-1', [`${pythonTests}state_process.py`], {
      env: { PYTHONPATH: 'python/src' },
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    if (!this.#child.stdout) throw new Error('no output')
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#ended = once(this.#lines, 'close').then(() => {
      throw new Error(`Python ended: ${this.#errors}`)
    })
    this.#ended.catch(() => undefined)
  }

  ask(question: object): Promise<unknown> {
    this.#last = this.#last.then(() => this.#ask(question))
    return this.#last
  }

  async #ask(question: object): Promise<unknown> {
    const answer = new Promise<string>((done) => this.#lines.once('line', done))
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
    return JSON.parse(await Promise.race([answer, this.#ended]))
  }

  /** A state in memory that begins at an instant, or in Redis. */
  async make(
    where: { readonly since: number } | { readonly port: number; readonly prefix: string },
  ): Promise<State> {
    const state = String(++this.#made)
    await this.ask({ make: state, ...where })
    return {
      supports: { once: true, proofs: true },
      decide: async (attempt) => (await this.ask({ state, attempt: asJson(attempt) })) as Decision,
      takeBack: async (attempt, late: LateCode) =>
        (await this.ask({ state, attempt: asJson(attempt), late })) as boolean,
    }
  }
}

/** An attempt as {@link PythonStates} takes it. */
export function asJson({ at, liveTokens, ...rest }: Attempt): object {
  return { ...rest, at: at.getTime(), ...(liveTokens && { liveTokens: liveTokens() }) }
}
