import type { CardJson } from '../../core/card/security.js'
import { isLoopback, mayReceiveCredentials } from './hosts.js'
import type { ProbeOptions } from '../run/options.js'
import { asList, asObject, asText } from '../wire/text.js'

export type BindingName = 'jsonrpc' | 'rest' | 'grpc'
export type ProtocolVersion = '1.0' | '0.3'

/** One binding × one protocol version of the agent, at the URL that serves it. */
export interface Cell {
  readonly binding: BindingName
  readonly protocol: ProtocolVersion
  readonly url: URL
  readonly tenant?: string
  /** Set where no card names it: the URL itself was taken for its endpoint. */
  readonly guessed?: true
  /** Why it cannot be tested, if so. */
  readonly untestable?: string
}

const bindingNames: Readonly<Record<string, BindingName>> = {
  JSONRPC: 'jsonrpc',
  'JSON-RPC': 'jsonrpc',
  'HTTP+JSON': 'rest',
  REST: 'rest',
  GRPC: 'grpc',
}

const bindingTitles = { jsonrpc: 'JSON-RPC', rest: 'REST', grpc: 'gRPC' } as const

/** A cell as people call it. */
export function titleOf({ binding, protocol }: Pick<Cell, 'binding' | 'protocol'>): string {
  return `${bindingTitles[binding]} ${protocol}`
}

/** A card may name any number of interfaces; a run has to end. */
const mostCells = 12

/**
 * The cells to test: those that the cards name, narrowed by `binding` and `protocol`. Where that leaves none, the
 * URL itself is taken for the endpoint of what was asked for, or of every cell over HTTP/1.1 when there is no card.
 */
export function cellsOf(cards: readonly CardJson[], target: URL, options: ProbeOptions): Cell[] {
  const wanted = ({ binding, protocol }: Cell): boolean =>
    (options.binding === 'auto' || options.binding === binding) &&
    (options.protocol === 'auto' || options.protocol === protocol)
  const named = distinct(cards.flatMap(interfacesOf))
  const found = named.filter(wanted)
  const asked = options.binding !== 'auto' || options.protocol !== 'auto'
  const cells =
    found.length > 0 || (named.length > 0 && !asked)
      ? found
      : guessedCells(target).filter(
          (cell) => wanted(cell) && (cell.binding !== 'grpc' || options.binding === 'grpc'),
        )
  return cells.slice(0, mostCells).map((cell) => ({ ...cell, ...reasonNotTo(cell, target, options) }))
}

/** How many of the interfaces that the cards name are too many to test. */
export function surplusOf(cards: readonly CardJson[]): number {
  return Math.max(0, distinct(cards.flatMap(interfacesOf)).length - mostCells)
}

function reasonNotTo(cell: Cell, target: URL, options: ProbeOptions): { untestable?: string } {
  if (mayReceiveCredentials(cell.url, target, options)) return {}
  return {
    untestable: `the card names another host, ${cell.url.host}, which gets no credentials; allow it with --allow-host ${cell.url.host}`,
  }
}

function guessedCells(url: URL): Cell[] {
  return order.flatMap((binding) =>
    (['1.0', '0.3'] as const).map((protocol) => ({ binding, protocol, url, guessed: true as const })),
  )
}

/** Reads both ways to name interfaces: 1.0's list, and 0.3's main URL with its additions. */
function interfacesOf(card: CardJson): Cell[] {
  const newer = asList(card['supportedInterfaces']).map(asObject)
  const older = [
    { url: card['url'], transport: card['preferredTransport'] ?? 'JSONRPC' },
    ...asList(card['additionalInterfaces']).map(asObject),
  ]
  return [
    ...newer.map((entry) =>
      toCell(entry['url'], entry['protocolBinding'], entry['protocolVersion'] ?? '1.0', entry['tenant']),
    ),
    ...older.map((entry: Readonly<Record<string, unknown>>) =>
      toCell(entry['url'], entry['transport'], '0.3', undefined),
    ),
  ].filter((cell) => cell !== undefined)
}

function toCell(url: unknown, binding: unknown, version: unknown, tenant: unknown): Cell | undefined {
  const name = bindingNames[asText(binding).toUpperCase()]
  const protocol = /^1(\.|$)/.test(asText(version))
    ? '1.0'
    : asText(version).startsWith('0.')
      ? '0.3'
      : undefined
  const text = asText(url)
  const parsed = name === 'grpc' ? grpcUrl(text) : URL.canParse(text) ? new URL(text) : undefined
  if (name === undefined || protocol === undefined || parsed === undefined) return undefined
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return undefined
  parsed.username = parsed.password = parsed.hash = ''
  return { binding: name, protocol, url: parsed, ...(asText(tenant) ? { tenant: asText(tenant) } : {}) }
}

/** A gRPC interface may be a bare host:port: plaintext on loopback, TLS elsewhere. */
function grpcUrl(text: string): URL | undefined {
  const bare = text.replace(/^(grpcs?|dns):\/*/i, '')
  if (bare.includes('://')) return URL.canParse(bare) ? new URL(bare) : undefined
  if (!URL.canParse(`http://${bare}`)) return undefined
  const plain = new URL(`http://${bare}`)
  const encrypted = /^grpcs:/i.test(text) || !(isLoopback(plain) || /^grpc:/i.test(text))
  return encrypted ? new URL(`https://${bare}`) : plain
}

function distinct(cells: readonly Cell[]): Cell[] {
  const byPlace = new Map(
    cells.map((cell) => [[cell.binding, cell.protocol, cell.url.href, cell.tenant].join(' '), cell]),
  )
  return [...byPlace.values()].sort(byColumn)
}

const order: readonly BindingName[] = ['jsonrpc', 'rest', 'grpc']

function byColumn(one: Cell, other: Cell): number {
  const newerFirst = one.protocol === other.protocol ? 0 : one.protocol > other.protocol ? -1 : 1
  return order.indexOf(one.binding) - order.indexOf(other.binding) || newerFirst
}
