import type {
  Binding,
  CardInterface,
  UnderstoodInterface,
  UnreadInterface,
} from '../../core/card/interfaces.js'
import { otherAgentAt } from '../../core/card/others.js'
import { protocolVersions, type ProtocolVersion } from '../../core/card/shapes.js'
import { isCardUrl } from './card-paths.js'
import { mayReceiveCredentials } from './hosts.js'
import type { ProbeOptions } from '../options.js'

export type { Binding as BindingName, ProtocolVersion }

/** One binding × one protocol version of the agent, at the URL that serves it. */
export interface Cell {
  readonly binding: Binding
  readonly protocol: ProtocolVersion
  readonly url: URL
  readonly tenant?: string
  /** What differs from the URL as the card has it. */
  readonly remarks?: readonly string[]
  /** Set where no card names it: the URL itself was taken for its endpoint. */
  readonly guessed?: true
  /** Why it cannot be tested, if so. */
  readonly untestable?: string
}

const bindingTitles = { jsonrpc: 'JSON-RPC', rest: 'REST', grpc: 'gRPC' } as const

/** A cell as people call it. */
export function titleOf({ binding, protocol }: Pick<Cell, 'binding' | 'protocol'>): string {
  return `${bindingTitles[binding]} ${protocol}`
}

/** A card may name any number of interfaces; a run has to end. */
const mostCells = 12

/**
 * The cells to test: the interfaces that the cards name, narrowed by `binding` and `protocol`. Where that leaves none,
 * the URL itself is taken for the endpoint of what was asked for, or of every cell over HTTP/1.1 when there is no card and
 * the URL is not that of one.
 */
export function cellsOf(interfaces: readonly CardInterface[], target: URL, options: ProbeOptions): Cell[] {
  const { binding, protocol } = options
  const named = namedCells(interfaces)
  const found = named.filter((cell) => isWanted(cell, options))
  const asked = binding !== 'auto' || protocol !== 'auto'
  const cells =
    found.length > 0 || ((named.length > 0 || isCardUrl(target)) && !asked)
      ? found
      : guessedCells(target).filter(
          (cell) => isWanted(cell, options) && (cell.binding !== 'grpc' || binding === 'grpc'),
        )
  return cells.slice(0, mostCells).map((cell) => ({ ...cell, ...reasonNotTo(cell, target, options) }))
}

/** The interfaces that the cards name and that are too many to test. */
export function surplusOf(
  interfaces: readonly CardInterface[],
  options: Pick<ProbeOptions, 'binding' | 'protocol'>,
): Cell[] {
  return namedCells(interfaces)
    .filter((cell) => isWanted(cell, options))
    .slice(mostCells)
}

/** Whether the user says what the URL is, so that it can be tested without a card. gRPC has one path for both versions. */
export function isSaid({ binding, protocol }: Pick<ProbeOptions, 'binding' | 'protocol'>): boolean {
  return binding === 'grpc' || (binding !== 'auto' && protocol !== 'auto')
}

/** The interfaces that were not understood and are not outside of `binding` and `protocol`, each once. */
export function unreadOf(
  interfaces: readonly CardInterface[],
  options: Pick<ProbeOptions, 'binding' | 'protocol'>,
): UnreadInterface[] {
  const unread = interfaces
    .filter((one) => !one.understood)
    .filter(({ binding, protocolVersion: protocol }) => isWanted({ binding, protocol }, options))
  return [...new Map(unread.map((one) => [JSON.stringify([one.why, one.written]), one])).values()]
}

/** Whether a cell is inside the bounds of a run; one of an unknown binding or version is in a run without bounds. */
export function isWanted(
  cell: { readonly binding?: string; readonly protocol?: string },
  { binding, protocol }: Pick<ProbeOptions, 'binding' | 'protocol'>,
): boolean {
  return (
    (binding === 'auto' || cell.binding === binding) && (protocol === 'auto' || cell.protocol === protocol)
  )
}

function reasonNotTo(cell: Cell, target: URL, options: ProbeOptions): { untestable?: string } {
  const other = otherAgentAt(cell, target, options.otherAgents ?? [])
  if (other) {
    return {
      untestable: `the card names ${cell.url.href}, which is ${other.name}, another agent: it gets no credentials of this one`,
    }
  }
  if (mayReceiveCredentials(cell, target, options)) return {}
  return {
    untestable: `the card names another host, in ${cell.url.href}, which gets no credentials; allow it with --allow-host ${cell.url.host}`,
  }
}

function guessedCells(url: URL): Cell[] {
  return order.flatMap((binding) =>
    protocolVersions.map((protocol) => ({ binding, protocol, url, guessed: true as const })),
  )
}

/** The interfaces that were understood, each place once: cards of both versions name many of them twice. */
function namedCells(interfaces: readonly CardInterface[]): Cell[] {
  const cells = interfaces.filter((one) => one.understood).map(toCell)
  const byPlace = new Map(
    cells.map((cell) => [[cell.binding, cell.protocol, cell.url.href, cell.tenant].join(' '), cell]),
  )
  return [...byPlace.values()].sort(byColumn)
}

function toCell({ binding, protocolVersion: protocol, url, tenant, remarks }: UnderstoodInterface): Cell {
  return {
    binding,
    protocol,
    url,
    ...(tenant !== undefined && { tenant }),
    ...(remarks.length > 0 && { remarks }),
  }
}

const order: readonly Binding[] = ['jsonrpc', 'rest', 'grpc']

function byColumn(one: Cell, other: Cell): number {
  const newerFirst = protocolVersions.indexOf(one.protocol) - protocolVersions.indexOf(other.protocol)
  return order.indexOf(one.binding) - order.indexOf(other.binding) || newerFirst
}
