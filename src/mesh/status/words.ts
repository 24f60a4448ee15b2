import { count, listSome, printable } from '../../core/text.js'
import { costOf, countsOf, narrowingOf } from '../../probe/report/words.js'
import type { Earlier } from './current.js'
import type { DueRow } from './due.js'
import type { Run, Turn } from './runs.js'

/** An instant in UTC, to the minute. */
export const timeOf = (at: Date | string): string =>
  `${(typeof at === 'string' ? at : at.toISOString()).slice(0, 16).replace('T', ' ')} UTC`

/** How far an instant is from another: `in 3 days`, `2 hours ago`. */
export function distance(at: Date, now: Date): string {
  const minutes = Math.round(Math.abs(at.getTime() - now.getTime()) / 60_000)
  const words =
    minutes < 120
      ? count(minutes, 'minute')
      : minutes < 2 * 24 * 60
        ? count(Math.floor(minutes / 60), 'hour')
        : count(Math.floor(minutes / (24 * 60)), 'day')
  return at > now ? `in ${words}` : `${words} ago`
}

/** A run's verdict in a word. */
export const runVerdict = ({ ok, reachable }: Run): 'PASS' | 'FAIL' | 'no answer' =>
  reachable ? (ok ? 'PASS' : 'FAIL') : 'no answer'

/** What a run found, in one line. */
export function runWords(run: Run): string {
  const parts = [
    `${count(run.edges, 'edge')} at ${count(run.agents, 'agent')}: ${countsOf(run)} (${costOf(run)})`,
    printable(run.diagnosis ?? ''),
    printable(narrowingOf(run)),
  ]
  return parts.filter((part) => part !== '').join('; ')
}

/** `stock, bob -> search: as seen 2030-01-01 00:00 UTC, 12 hours ago`. */
export function earlierWords({ startedAt, agents, edges }: Earlier, now: Date): string {
  const names = [...agents, ...edges.map(({ peer, agent }) => `${peer} -> ${agent}`)].map(printable)
  return `${listSome(names, 10)}: as seen ${timeOf(startedAt)}, ${distance(new Date(startedAt), now)}`
}

const turnSubject = ({ peer, agent }: Pick<Turn, 'peer' | 'agent'>): string =>
  printable(peer === null ? agent : `${peer} -> ${agent}`)

/** `alice -> billing: was let in, as declared; now declared, but refused`. */
export function turnWords(turn: Turn): string {
  const { was, now } = turn
  if (was === null) return `${turnSubject(turn)}: new, ${now ?? ''}`
  return `${turnSubject(turn)}: ${now === null ? `gone, was ${was}` : `${now}; was ${was}`}`
}

/** `token of alice -> billing expires in 3 days`. */
export function dueWords({ peer, agent, what, why, at }: DueRow, now: Date): string {
  const edge = `${peer} -> ${agent}`
  if (why === 'pending') return `the rotation of ${edge} is not finished; it began ${distance(at, now)}`
  const verbs = {
    expires: 'expires',
    expired: 'expired',
    rotate: at > now ? 'is due for rotation' : 'was due for rotation',
  }
  return `the ${what} of ${edge} ${verbs[why]} ${distance(at, now)}`
}

/** The command that does what is due; for an end that the mesh file sets, where that is. */
export function dueCommand({ peer, agent, why, endsByLine }: DueRow): string {
  if (endsByLine !== undefined) return `expires: in line ${endsByLine} of the file`
  return why === 'pending' ? 'a2a-totp mesh apply' : `a2a-totp mesh rotate --only ${peer}:${agent}`
}
