import { performance } from 'node:perf_hooks'
import { seedToHandOut, tokenToHandOut } from '../../../core/live-credentials.js'
import { replayOf, signedOf, type Peer, type Roster } from '../../../core/roster.js'
import { withNewAlone } from '../../../core/staged-rotation.js'
import type { CheckId, ProbeOptions, ProbeReport } from '../../../probe/index.js'
import type { CliContext } from '../../context.js'
import { readGivenFile } from '../../io/given-file.js'
import type { Problem } from './masked-command.js'
import type { StagedOptions } from './staged-options.js'

/** Where a proof goes, and how. */
export type ProvingOptions = Pick<StagedOptions, 'allowHost' | 'insecureHttp' | 'ca'> & {
  readonly prove: string
  /** Agents that get no credentials of this one. */
  readonly otherAgents?: ProbeOptions['otherAgents']
}

/** Calls that show something, and send no wrong code. */
const proving: readonly CheckId[] = ['reach', 'auth.none', 'auth.bearer-only', 'auth.valid']
const asking: readonly CheckId[] = ['auth.valid']

const firstPauseMs = 100
const longestPauseMs = 2000
/** For what the last look may take, when the wait is over. */
const shortestRunMs = 5000

/**
 * With a token that the agent knows, a code of a seed that it does not know yet is a wrong code. Repeated in its time step
 * it counts once, so the agent is asked in so many time steps at most.
 */
const mostSteps = 4

/**
 * Waits until an agent lets a peer in with its new credentials.
 *
 * @param until of `performance.now()`; the agent is asked at least once
 * @param onProved called under `once` when the calls proved it as well: each takes a time step, which after the delivery
 *   would be one of the peer's own
 */
export async function admitted(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  options: ProvingOptions,
  { until, onProved }: { readonly until: number; readonly onProved: () => void },
): Promise<Problem> {
  const once = replayOf(roster, peer) === 'once'
  const { sleep, signal, output } = context
  const guesses = peer.pending?.token === false
  const period = peer.period * 1000
  const stepsAsked = new Set<number>()
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    stepsAsked.add(Math.floor(context.now().getTime() / period))
    const deadlineMs = Math.max(shortestRunMs, Math.ceil(until - performance.now()))
    const report = await ask(context, roster, peer, options, { only: once ? proving : asking, deadlineMs })
    if (isLetIn(report)) {
      if (once && report.ok) onProved()
      return undefined
    }
    const left = until - performance.now()
    const spent = guesses && stepsAsked.size >= mostSteps
    if (left <= 0 || spent) return `the agent does not let the new credentials in: ${reasonOf(report)}`
    if (pauseMs === firstPauseMs) output.say(`waiting until the agent lets ${peer.name} in with the new ones`)
    await sleep(Math.min(pauseMs, left))
    if (signal.aborted) throw new Error('interrupted')
  }
}

/** Probes as a peer with its new credentials, without any guess. */
export async function proved(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  options: ProvingOptions,
): Promise<Problem> {
  const { window } = roster.profile
  // Steps that were spent before are over by then.
  const tries = replayOf(roster, peer) === 'once' ? 2 * window + 2 : 1
  for (let left = tries - 1; ; left--) {
    const report = await ask(context, roster, peer, options, { only: proving })
    const letIn = isLetIn(report)
    if (letIn && report.ok) return undefined
    if (left === 0 || letIn || !report.reachable) return `not proved: ${reasonOf(report)}`
    context.output.say('policy once: waiting for an unspent time step')
    await context.sleep(peer.period * 1000)
    if (context.signal.aborted) throw new Error('interrupted')
  }
}

/** Every interface that was called let the peer in. */
function isLetIn({ reachable, checks }: ProbeReport): boolean {
  const calls = checks.filter(({ id }) => id === 'auth.valid')
  return reachable && calls.length > 0 && calls.every(({ status }) => status === 'pass' || status === 'warn')
}

function reasonOf({ reachable, checks, diagnosis, target }: ProbeReport): string {
  if (!reachable) return `${target} does not answer`
  const failed = checks.find(({ status }) => status === 'fail')
  if (diagnosis !== undefined) return diagnosis
  return failed ? `${failed.id}: ${failed.actual || failed.detail}` : 'no interface could be called'
}

async function ask(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  options: ProvingOptions,
  narrow: Pick<ProbeOptions, 'only' | 'deadlineMs'>,
): Promise<ProbeReport> {
  const { chooseProxy, probe } = await import('../../../probe/index.js')
  const proxy = chooseProxy(context.env, undefined)
  const run = probe({ ...optionsFor(context, roster, peer, options), proxy, ...narrow })
  return context.unlessInterrupted(run)
}

function optionsFor(
  context: CliContext,
  roster: Roster,
  peer: Peer,
  { prove, allowHost, otherAgents, insecureHttp, ca }: ProvingOptions,
): ProbeOptions {
  const at = context.now()
  const fresh = withNewAlone(peer)
  const { seed } = seedToHandOut(roster, fresh, at)
  // One that stays may have expired, or have been replaced by its hash, since the rotation began.
  const { token } = tokenToHandOut(fresh, at)
  const { name, algorithm, digits, period } = peer
  const policies = { replay: replayOf(roster, peer), signed: signedOf(roster, peer) }
  const credentials = { seed, token, peer: name, agent: roster.agent, ...policies }
  return {
    url: prove,
    credentials: { ...roster.profile, algorithm, digits, period, ...credentials },
    ...(roster.url === undefined ? {} : { trustedUrl: roster.url }),
    ...{ binding: 'auto', protocol: 'auto', timeoutMs: 10_000 },
    noGuesses: 'a rotation sends no wrong codes',
    ...(allowHost ? { allowHosts: allowHost } : {}),
    ...(otherAgents ? { otherAgents } : {}),
    ...(insecureHttp ? { insecureHttp } : {}),
    ...(ca === undefined ? {} : { ca: readGivenFile(context, 'the file given to --ca', ca).toString() }),
    now: context.now,
    random: context.random,
  }
}
