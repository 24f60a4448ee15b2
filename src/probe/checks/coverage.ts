import type { RunCheck } from './check.js'
import type { UnreadInterface } from '../../core/card/interfaces.js'
import { count } from '../../core/text.js'
import type { ProbeOptions } from '../options.js'
import type { CellEvidence, Evidence } from '../run/evidence.js'
import { isShown, isUnserved, triedIn, validAnswer } from '../run/reading.js'
import { isSaid, surplusOf, titleOf, unreadOf, type Cell } from '../target/cells.js'
import type { Discovery } from '../target/discovery.js'
import { shortened } from '../wire/text.js'
import { isolationGaps } from './isolation.js'
import { unansweredIn } from './shared/unanswered.js'
import { failed, passed, type Verdict } from './verdict.js'

export const coverage: RunCheck = {
  id: 'coverage',
  scope: 'run',
  proves: 'each interface that the card names was tested',
  expects: 'each lets right credentials in',
  judge: judgeCoverage,
  means:
    'PASS must be shown, never assumed. The card names an interface that did not let right credentials in, or that was not tested at all, no card was read and `--binding` and `--protocol` do not say what the URL is, it is not known which card clients of 0.3 get, a check got nothing but throttling (429), or right credentials were let in and later refused: an agent that locks out whoever was refused too often refuses everything then, whatever it checks. A refusal proves nothing at an agent that refuses everyone, and what was not tested may be open. If a throttled call names a time to retry, the run waits for it once, for at most 60 s, and sends no wrong code before right credentials were let in.',
  fix: [
    'See `auth.valid` for the reason why right credentials were not let in.',
    'Without a card, probe each endpoint by its URL with `--binding` and `--protocol`.',
    'If the card names an interface that is not served, remove it from the card.',
    'Clients of 0.3 ask for the card without A2A-Version. Serve it to them, or answer 404 if there is none; `--protocol 1.0` leaves them out.',
    'If an interface is on another host, probe it there, or allow credentials to be sent to it with `--allow-host HOST`. Behind nginx, Caddy, Traefik, HAProxy or Envoy that is the agent itself, whose own card is passed on: let a gate serve the card for callers (`gate --upstream … --public-url …`, and `config server --format nginx … --card HOST:PORT`).',
    'If the agent knows no such method, with or without credentials, let it answer GetTask (`tasks/get`): by its answer the probe sees who is let in.',
    'If it locks callers out, probe with a peer, and from an address, whose limit is higher, or with `--only` for fewer refusals; the lock may go on after the run.',
    'If it was throttled, probe again when the limit is over, from an address and with a peer that nothing else uses.',
  ],
}

/** Whether every interface that the card names let right credentials in, and every check of it was answered. */
function judgeCoverage(evidence: Evidence): Verdict {
  const { cells, remarks: ofRun } = evidence
  const gaps = gapsIn(evidence)
  if (gaps.length > 0) {
    return failed(count(gaps.length, 'gap'), `what was not shown may be open: ${gaps.join('; ')}`)
  }
  const named = cells.filter(({ cell }) => cell.guessed !== true)
  if (named.length === 0) return passed('the URL itself', 'no card names it; --binding and --protocol do')
  const remarks = named.flatMap(({ cell }) =>
    (cell.remarks ?? []).map((remark) => `${placeOf(cell)}: ${remark}`),
  )
  return passed(
    named.length === 1 ? 'the one interface' : `all ${named.length} interfaces`,
    [...remarks, ...ofRun].join('; '),
  )
}

/** What was not shown, in words. */
export function gapsIn({ cells, discovery, options }: Evidence): string[] {
  const { interfaces } = discovery
  return [
    ...withoutInterfaces(discovery, options),
    ...withoutOlderCard(discovery, options),
    ...tooMany(surplusOf(interfaces, options)),
    ...notUnderstood(unreadOf(interfaces, options)),
    ...cells.flatMap(({ cell }) =>
      cell.untestable === undefined ? [] : [`${titleOf(cell)} was not tested: ${cell.untestable}`],
    ),
    ...cellsNotShown(cells),
    ...cells.flatMap((cell) => unansweredIn(cell).map((gap) => `${titleOf(cell.cell)}: ${gap}`)),
    ...cells.flatMap((one) => isolationGaps(one).map((gap) => `${placeOf(one.cell)}: ${gap}`)),
    ...cells.flatMap(({ cell, gaps }) => gaps.map((gap) => `${placeOf(cell)}: ${gap}`)),
  ]
}

/** A cell with its URL: a card may name one binding and version at two places. */
function placeOf(cell: Cell): string {
  return `${titleOf(cell)} at ${cell.url.host}${cell.url.pathname}`
}

/** Without a card that names interfaces nothing shows that those tested are all that the agent has. */
function withoutInterfaces(
  { cards, interfaces, problem }: Discovery,
  options: Pick<ProbeOptions, 'binding' | 'protocol'>,
): string[] {
  if (interfaces.length > 0 || isSaid(options)) return []
  const why = cards.length === 0 ? `no card was read (${problem})` : 'the card names no interface'
  return [`${why}; if URL is an endpoint, say with --binding and --protocol which one`]
}

/** The card that clients of 0.3 get may name other interfaces than that of 1.0. */
function withoutOlderCard(
  { olderUnread }: Discovery,
  { protocol }: Pick<ProbeOptions, 'protocol'>,
): string[] {
  if (olderUnread === undefined || protocol === '1.0') return []
  return [`the card for clients of 0.3 was not read: without A2A-Version ${olderUnread}`]
}

function tooMany(surplus: readonly Cell[]): string[] {
  if (surplus.length === 0) return []
  const named = surplus.slice(0, mostNamed).map(placeOf)
  const others = surplus.length > named.length ? ', and others' : ''
  return [
    `the card names too many interfaces; ${surplus.length} were not tested: ${named.join(', ')}${others}`,
  ]
}

/** The most interfaces to name: a card may name any number. */
const mostNamed = 12

function notUnderstood(unread: readonly UnreadInterface[]): string[] {
  const named = unread.slice(0, mostNamed).map(({ written, why }) => {
    const { transport, version, address } = written
    // An address may contain a password, which is not printed.
    const shown = [transport, version, address.replace(/\/\/[^/?#]*@/, '//')].filter((part) => part !== '')
    return `${shortened(shown.join(' ') || 'an interface', 120)} was not understood: ${why}`
  })
  const rest = unread.length - named.length
  return rest > 0 ? [...named, `${rest} more interfaces were not understood`] : named
}

const nothingTested =
  'nothing could be tested: pass the URL of the endpoint itself with --binding and --protocol, or --allow-host if ' +
  'the card names another host'

/**
 * A sentence for each cell that did not let right credentials in. A cell that no card names was only guessed, so it is no
 * gap if the agent does not serve it.
 */
export function cellsNotShown(cells: readonly CellEvidence[]): string[] {
  const tested = cells.filter(
    (one) => one.cell.untestable === undefined && !(one.cell.guessed && isUnserved(one)),
  )
  if (tested.length === 0) return [nothingTested]
  return tested
    .filter((one) => !isShown(one))
    .map((one) => {
      const { cell, whyNotSent } = one
      const seen = validAnswer(one)?.summary ?? whyNotSent
      return `${placeOf(cell)}: ${isUnserved(one) ? unservedThere(one) : 'right credentials were not let in'} (${seen})`
    })
}

/** An agent that answers messages alone, to anyone, looks like one that does not serve a binding: no answer tells them apart. */
function unservedThere(cell: CellEvidence): string {
  const { signature } = validAnswer(cell) ?? {}
  const toStrangers = triedIn(cell).some(({ answer }) => answer.signature === signature)
  return toStrangers
    ? 'the agent knows no such method there, and says so without credentials too: what it does serve may be open to everyone'
    : 'the agent knows no such method there'
}
