import { printable } from '../../core/text.js'
import { lastRun } from './page.js'
import type { MeshStatus } from './status.js'
import {
  distance,
  dueCommand,
  dueWords,
  earlierWords,
  runVerdict,
  runWords,
  timeOf,
  turnWords,
} from './words.js'

const mostRuns = 10

/** The status as text: the last runs, the latest first, then what changed and what is due. */
export function statusText(status: MeshStatus): string {
  const { mesh, at, runs, turns, due, removed, deliveries, unread, passedOver, latest, current, earlier } =
    status
  const parts = [
    [
      `${mesh}: ${latest === null ? 'no report yet; run a2a-totp mesh prove' : lastRun(latest.startedAt, at)}`,
    ],
    runs
      .slice(-mostRuns)
      .reverse()
      .map((run) => `${timeOf(run.startedAt)}  ${runVerdict(run).padEnd(9)}  ${runWords(run)}`),
    titled(
      `with what the latest run left out: ${current?.ok === true ? 'PASS' : 'FAIL'}`,
      earlier.map((row) => earlierWords(row, at)),
    ),
    titled('changed since the run before', turns.map(turnWords)),
    titled(
      'due',
      due.map((row) => `${dueWords(row, at)}: ${dueCommand(row)}`),
    ),
    titled(
      'stores that could not be read',
      unread.map(({ agent, reason }) => `${printable(agent)}: ${printable(reason)}`),
    ),
    titled(
      'removed, and still to be seen refused',
      removed.map(({ peer, agent, removedAt }) => `${peer} -> ${agent}, removed ${distance(removedAt, at)}`),
    ),
    titled(
      'delivered last',
      deliveries.map(({ to, name, at: when }) => `${to} ${printable(name)}  ${timeOf(when)}`),
    ),
    titled(
      'files that were passed over',
      passedOver.map(({ file, reason }) => `${printable(file)}: ${printable(reason)}`),
    ),
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
}

const titled = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
