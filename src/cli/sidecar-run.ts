import { once } from 'node:events'
import type { Sidecar, SidecarEvent } from '../sidecar/sidecar.js'
import type { CliContext } from './context.js'

export interface SidecarRun {
  /** How long running calls may go on after SIGTERM or SIGINT, in milliseconds. */
  readonly drainMs: number
  /** Called when it listens, is to read its files anew, drains and has stopped. */
  readonly onEvent?: (event: SidecarEvent) => void
}

/**
 * Starts a sidecar, prints its listeners once it is ready, and returns when it has stopped. SIGHUP makes it read its files
 * anew, and never ends it, not even during the start. After SIGTERM or SIGINT it accepts nothing new and returns when the
 * last call has ended or the time to drain is over; a second one ends the process at once. The exit code is that of the
 * signal.
 *
 * On stdout is a line for each listener, its URL; with `--json` one document, `{listeners: [{role, url, agent, peer?}]}`.
 *
 * @throws what starting throws; nothing is on stdout then
 */
export async function runSidecar(
  context: CliContext,
  start: () => Promise<Sidecar>,
  { drainMs, onEvent = () => undefined }: SidecarRun,
): Promise<void> {
  const { output, signal, now, onHangUp, unlessInterrupted } = context
  const tell = (type: 'reloading' | 'draining' | 'stopped'): void => onEvent({ at: now(), type })

  let running: Sidecar | undefined
  const reloads = new Reloads(async () => {
    tell('reloading')
    await running?.reload()
  })
  const unhook = onHangUp(() => reloads.ask())
  try {
    const starting = start()
    // It may come up after it was interrupted.
    void starting.then(
      (late) => (signal.aborted && late !== running ? late.close() : undefined),
      () => undefined,
    )
    running = await unlessInterrupted(starting)
    const { listeners } = running
    output.result(listeners.map(({ url }) => `${url}\n`).join(''), { listeners })
    for (const listener of listeners) onEvent({ at: now(), type: 'listening', listener })
    reloads.begin()
    if (!signal.aborted) await once(signal, 'abort')
    // Nobody knows where it listens.
    if (signal.reason === 'EPIPE') {
      await running.close()
      return
    }
    tell('draining')
    if (output.talksToPerson) output.say('stopping once the last call has ended; press Ctrl-C to stop now')
    await running.drain(drainMs)
    tell('stopped')
  } finally {
    unhook()
  }
}

/** One at a time; of those that are asked for meanwhile, one follows. */
class Reloads {
  readonly #reload: () => Promise<void>
  #asked = false
  /** Until the start is over, too. */
  #busy = true

  constructor(reload: () => Promise<void>) {
    this.#reload = reload
  }

  begin(): void {
    this.#busy = false
    if (this.#asked) void this.#run()
  }

  ask(): void {
    this.#asked = true
    if (!this.#busy) void this.#run()
  }

  async #run(): Promise<void> {
    this.#busy = true
    while (this.#asked) {
      this.#asked = false
      // What goes wrong is an event of the sidecar.
      await this.#reload().catch(() => undefined)
    }
    this.#busy = false
  }
}
