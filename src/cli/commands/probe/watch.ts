import { jsonText } from '../../../core/text.js'
import { performance } from 'node:perf_hooks'
import { isTOTPError } from '../../../core/errors.js'
import type * as library from '../../../probe/index.js'
import type { ProbeOptions, ProbeReport } from '../../../probe/index.js'
import { isLoopback, type ListenAddress } from '../../../service/address.js'
import { serveMetrics } from '../../../service/metrics.js'
import type { CliContext } from '../../context.js'
import { emit, outFile, type OutOptions } from '../../io/result-file.js'
import { HourlyGuesses } from './hourly-guesses.js'
import { duringProbe } from './probe-progress.js'
import { writeReportFile, type ReportTarget } from './probe-reports.js'

/** What `probe --watch` is told. */
export interface Watching {
  /** From the start of one run to the start of the next. */
  readonly seconds: number
  readonly metrics: ListenAddress | undefined
  readonly targets: readonly ReportTarget[]
  readonly options: OutOptions
  /** The file of the repository that SARIF names. */
  readonly location: string | undefined
  /** Of this tool. */
  readonly version: string
  /** Reads credentials and files anew, so that a rotation is followed. */
  readonly read: () => Promise<ProbeOptions>
}

/**
 * Probes again and again until interrupted. A run never overlaps the next: one that takes too long skips a turn. After
 * the first run, what goes wrong with the agent, the store or a file is reported, and the watch goes on.
 *
 * @throws {TOTPError} before anything is sent: what reading the options throws, and `ERR_PORT_UNAVAILABLE`
 */
export async function watch(context: CliContext, watching: Watching): Promise<void> {
  const { output, signal, sleep, watchReader } = context
  const { seconds, metrics, read } = watching
  const first = await read()
  const watcher = new Watcher(context, watching)
  const loaded = await import('../../../probe/index.js')
  const server = metrics && (await serveMetrics(metrics, () => watcher.metrics(loaded)))
  const unwatch = watchReader()
  try {
    if (metrics && server) {
      output.say(`metrics at http://${server.address}/metrics`)
      if (!isLoopback(metrics)) output.say('other machines can read the metrics; they contain no secret')
    }
    let begunMs = performance.now()
    await watcher.run(loaded, first)
    for (;;) {
      await sleep(watcher.pauseMs(begunMs, seconds * 1000))
      if (signal.aborted) return
      begunMs = performance.now()
      await watcher.tryRun(loaded, read)
    }
  } finally {
    unwatch()
    await server?.stop()
  }
}

type Library = typeof library

class Watcher {
  readonly #context: CliContext
  readonly #watching: Watching
  readonly #guesses = new HourlyGuesses()
  /** The latest verdict; undefined before the first, and when the last run could not be made. */
  #report: ProbeReport | undefined
  /** What was last shown in full. */
  #shown = ''
  /** Why there was no run the last time, if so. */
  #remarked = ''
  /** The least time between two runs. */
  #restMs = 0

  constructor(context: CliContext, watching: Watching) {
    this.#context = context
    this.#watching = watching
  }

  metrics({ formats }: Library): string | undefined {
    return this.#report && formats.openmetrics(this.#report, { color: false, symbols: false })
  }

  /** How long to wait for the next turn. */
  pauseMs(begunMs: number, intervalMs: number): number {
    const elapsedMs = performance.now() - begunMs
    const untilTurnMs = intervalMs - (elapsedMs % intervalMs)
    return Math.max(untilTurnMs, this.#restMs)
  }

  /** Makes a run; what hinders it is reported. */
  async tryRun(loaded: Library, read: () => Promise<ProbeOptions>): Promise<void> {
    let options: ProbeOptions
    try {
      options = await read()
    } catch (error) {
      this.#report = undefined
      this.#remark(`not probed: ${inWords(error)}`)
      return
    }
    await this.run(loaded, options).catch((error: unknown) => {
      this.#remark(`report not written: ${inWords(error)}`)
    })
  }

  /** @throws {TOTPError} when a report cannot be written */
  async run(loaded: Library, options: ProbeOptions): Promise<void> {
    const { probe, withStanding } = loaded
    const { now, unlessInterrupted } = this.#context
    const { token, seed, replay, period } = options.credentials
    const credentials = `${token.value} ${seed.base32}`
    const allowed = this.#guesses.next(performance.now(), credentials)
    if (allowed.kind === 'nothing') {
      this.#remark(`not probed: ${allowed.reason}`)
      return
    }
    const spare = allowed.kind === 'no-guesses' ? allowed.reason : undefined
    const seen = await duringProbe(this.#context, (telling) =>
      unlessInterrupted(
        probe({ ...options, ...telling, ...(spare === undefined ? {} : { noGuesses: spare }) }),
      ),
    )
    this.#guesses.note(seen, allowed, { nowMs: performance.now(), at: now(), credentials })
    // Under `once` the codes up to the next time step may be spent.
    this.#restMs = replay === 'once' ? 2 * period * 1000 : 0
    const report = spare === undefined ? seen : withStanding(seen, this.#guesses.guessed, spare)
    this.#report = report
    this.#remarked = ''
    this.#print(loaded, report)
  }

  /** Files have every report. Standard output has each one too, but for people only when something changed. */
  #print({ formats, renderLine }: Library, report: ProbeReport): void {
    const { output } = this.#context
    const { targets, options, location, version } = this.#watching
    const render = (format: ReportTarget['format'], nice: boolean): string =>
      formats[format](report, {
        version,
        ...(location === undefined ? {} : { location }),
        color: nice,
        symbols: nice && this.#context.output.unicode,
      })
    for (const { format, file } of targets) {
      if (file !== undefined) writeReportFile(this.#context, file, render(format, false))
    }
    const toFile = outFile(options.out) !== undefined
    const format = targets.find(({ file }) => file === undefined)?.format ?? 'pretty'
    const verdict = verdictOf(report)
    if (format === 'pretty' && !output.json && !toFile && verdict === this.#shown) {
      output.write(`${renderLine(report)}\n`)
      return
    }
    this.#shown = verdict
    const nice = output.forPerson && !toFile
    emit(this.#context, { ...options, force: true }, render(format, nice), report)
  }

  /** Says why there was no run, once: to people among the verdicts, else as a warning. */
  #remark(text: string): void {
    if (text === this.#remarked) return
    this.#remarked = text
    const { output, now } = this.#context
    const { targets, options } = this.#watching
    const forPeople = targets.every(({ file, format }) => file !== undefined || format === 'pretty')
    if (forPeople && !output.json && outFile(options.out) === undefined) {
      output.result(`${now().toISOString().slice(0, 19)}Z ${text}`, undefined)
    } else {
      output.warn(text)
    }
  }
}

/** The same text for two reports with the same verdict: what is reached, and what fails or warns. */
function verdictOf({ ok, reachable, checks }: ProbeReport): string {
  const bad = checks
    .filter(({ status }) => status === 'fail' || status === 'warn')
    .map(({ id, url, binding, protocolVersion, status }) => [id, url, binding, protocolVersion, status])
  return jsonText([ok, reachable, bad])
}

/** @throws what is none of our errors: a bug, or an interruption */
function inWords(error: unknown): string {
  if (isTOTPError(error)) return `${error.message} (${error.code})`
  throw error
}
