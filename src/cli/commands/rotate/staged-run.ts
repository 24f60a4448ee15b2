import { performance } from 'node:perf_hooks'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { peerNamed } from '../../../core/provision.js'
import type { Peer, Roster, RotationStep } from '../../../core/roster.js'
import { isAtLeast, withOldEnding, withoutPending, withStep } from '../../../core/staged-rotation.js'
import type { CliContext } from '../../context.js'
import { configServerAgain } from '../config-commands.js'
import { serverFileOf } from '../server-out.js'
import { deliverFragment, deliverServerFile, type Problem } from './deliveries.js'
import { deliversServer } from './given-options.js'
import type { ProvingOptions } from './proof.js'
import type { StagedOptions } from './staged-options.js'

/** How far the rotation of a peer has come. */
export interface PeerProgress {
  readonly name: string
  readonly step: RotationStep | 'retired' | null
  readonly done: boolean
  readonly problem?: string
}

/** An agent that follows its server file sees a new one within a second. */
const settleMs = 1500

/**
 * Takes the pending rotations of some peers to their end: the server file, the wait, the fragments, the proof, and the
 * server file again. Each step is recorded once it has succeeded, so a run that is killed does its last step again, and
 * none is skipped. A peer whose step fails stays where it is, and the others go on.
 */
export async function runStaged(
  context: CliContext,
  id: string,
  names: readonly string[],
  options: StagedOptions,
): Promise<PeerProgress[]> {
  const run = new StagedRun(context, id, names, options)
  await run.go()
  return run.progress()
}

class StagedRun {
  readonly #problems = new Map<string, string>()
  /** Peers under `once` that were proved when they were let in. */
  readonly #proved = new Set<string>()
  /** The server file that this run delivered last. */
  #delivered: string | undefined

  constructor(
    private readonly context: CliContext,
    private readonly id: string,
    private readonly names: readonly string[],
    private readonly options: StagedOptions,
  ) {}

  async go(): Promise<void> {
    await this.#admit()
    for (const name of this.#going()) {
      await this.#step(name, 'delivered', (roster, peer) => this.#deliver(roster, peer))
      await this.#prove(name)
    }
    await this.#retire(this.#going())
  }

  async progress(): Promise<PeerProgress[]> {
    const { peers } = await this.context.store.read()
    return this.names.map((name) => {
      const peer = peers.get(name)
      const problem = this.#problems.get(name)
      const pending = peer?.pending?.id === this.id ? peer.pending : undefined
      const done = problem === undefined && pending === undefined
      const step = pending?.step ?? (done ? 'retired' : null)
      return { name, step, done, ...(problem === undefined ? {} : { problem }) }
    })
  }

  #going(): string[] {
    return this.names.filter((name) => !this.#problems.has(name))
  }

  /** The agent comes first: what it does not know yet is in nobody's hands. */
  async #admit(): Promise<void> {
    const { store, output, sleep } = this.context
    const roster = await store.read()
    const staged = this.names.filter((name) => roster.peers.get(name)?.pending?.step === 'staged')
    if (staged.length === 0) return
    if (deliversServer(this.options)) {
      const problem = await this.#attempt(() => this.#deliverServer())
      if (problem !== undefined) {
        for (const name of staged) this.#problems.set(name, problem)
        return
      }
    }
    const { prove, wait } = this.options
    if (prove === undefined && deliversServer(this.options)) {
      output.say('not checked: whether the agent accepts the new credentials; --prove URL checks it')
      await sleep(settleMs)
      this.#throwIfInterrupted()
    } else if (prove === undefined) {
      output.warn(
        `the agent refuses the new credentials until it has its new server file: run ${configServerAgain} at once; ` +
          '--server-out or --deliver-server delivers it before the peer has them',
      )
    }
    const until = performance.now() + wait * 1000
    for (const name of staged) {
      await this.#step(name, 'admitted', async (now, peer) => {
        if (prove === undefined) return undefined
        const { admitted } = await import('./proof.js')
        const onProved = (): void => void this.#proved.add(name)
        return admitted(this.context, now, peer, { ...this.options, prove }, { until, onProved })
      })
    }
  }

  async #deliver(roster: Roster, peer: Peer): Promise<Problem> {
    const { deliver } = this.options
    if (deliver === undefined) return undefined
    this.context.output.say(`delivering to ${peer.name}`)
    return deliverFragment(this.context, roster, peer, { ...this.options, deliver })
  }

  async #prove(name: string): Promise<void> {
    const { prove } = this.options
    if (prove === undefined) return
    const options: ProvingOptions = { ...this.options, prove }
    await this.#step(name, 'proved', async (roster, peer) => {
      if (this.#proved.has(name)) return undefined
      this.context.output.say(`probing as ${name}`)
      const { proved } = await import('./proof.js')
      return proved(this.context, roster, peer, options)
    })
  }

  /** The old credentials end, the agent learns of it, and then the rotation is over. */
  async #retire(going: readonly string[]): Promise<void> {
    const { store, now } = this.context
    const { peers } = await store.read()
    const names = going.filter((name) => peers.get(name)?.pending?.id === this.id)
    for (const name of going)
      if (!names.includes(name)) this.#problems.set(name, 'another command ended this rotation')
    if (names.length === 0) return
    const problem = await this.#attempt(async () => {
      await store.update((roster) => withOldEnding(roster, names, this.id, now()))
      const failure = deliversServer(this.options) ? await this.#deliverServer() : undefined
      if (failure === undefined) await store.update((roster) => withoutPending(roster, names, this.id))
      return failure
    })
    if (problem !== undefined) for (const name of names) this.#problems.set(name, problem)
  }

  /** Does a step of a peer, unless it is done, and records it. */
  async #step(
    name: string,
    step: RotationStep,
    work: (roster: Roster, peer: Peer) => Promise<Problem>,
  ): Promise<void> {
    if (this.#problems.has(name)) return
    const { store } = this.context
    const problem = await this.#attempt(async () => {
      const roster = await store.read()
      // Refuses a rotation that is over.
      withStep(roster, name, this.id, step)
      const peer = peerNamed(roster, name)
      if (peer.pending && isAtLeast(peer.pending, step)) return undefined
      const failure = await work(roster, peer)
      this.#throwIfInterrupted()
      if (failure === undefined) await store.update((current) => withStep(current, name, this.id, step))
      return failure
    })
    if (problem !== undefined) this.#problems.set(name, problem)
  }

  /** From the store as it is now: other commands may have changed it. */
  async #deliverServer(): Promise<Problem> {
    const roster = await this.context.store.read()
    const content = await serverFileOf(this.context, roster, this.options)
    if (content === this.#delivered) return undefined
    const problem = await deliverServerFile(this.context, roster, content, this.options)
    this.#throwIfInterrupted()
    if (problem === undefined) this.#delivered = content
    return problem
  }

  /** A failure of one peer is no reason to leave the others. */
  async #attempt(work: () => Promise<Problem>): Promise<Problem> {
    try {
      return await work()
    } catch (error) {
      if (!isTOTPError(error) || this.context.signal.aborted) throw error
      return error.message
    }
  }

  #throwIfInterrupted(): void {
    if (this.context.signal.aborted) throw new TOTPError('ERR_DELIVERY_FAILED', 'interrupted')
  }
}
