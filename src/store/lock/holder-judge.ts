import type { Holder, LockFile } from './lock-file.js'
import type { Liveness, ProcessTable } from './process-identity.js'

/** Tells living holders from dead ones. Remembers since when each holder has been silent. */
export class HolderJudge {
  readonly #seen = new Map<string, { readonly heartbeat: string; readonly sinceMs: number }>()

  constructor(
    private readonly self: Holder,
    private readonly processes: ProcessTable,
    private readonly silenceMs: number,
    private readonly monotonicMs: () => number,
  ) {}

  /** Looks at every holder, even after a living one was found, so that the silence of all of them is measured. */
  firstLiving(files: readonly LockFile[]): LockFile | undefined {
    const living = files.filter((file) => this.#isLiving(file))
    return living[0]
  }

  #isLiving({ path, holder, heartbeat }: LockFile): boolean {
    const liveness = this.#lookUp(holder)
    if (liveness !== 'unknown') return liveness === 'alive'
    const nowMs = this.monotonicMs()
    const seen = this.#seen.get(path)
    if (seen?.heartbeat === heartbeat) return nowMs - seen.sinceMs < this.silenceMs
    this.#seen.set(path, { heartbeat, sinceMs: nowMs })
    return true
  }

  #lookUp(holder: Holder | undefined): Liveness {
    const { place } = this.self
    if (holder === undefined || place === undefined || holder.place !== place) return 'unknown'
    return this.processes.livenessOf(holder)
  }
}
