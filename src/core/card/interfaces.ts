import { asList, asText, isObject, type JsonObject } from '../json.js'
import { isListenOnly } from '../url.js'
import type { CardJson, ProtocolVersion } from './shapes.js'
import { readGrpcTarget, withoutExtras, type Address } from './targets.js'

export type Binding = 'jsonrpc' | 'rest' | 'grpc'

/** An interface that can be called. */
export interface UnderstoodInterface {
  readonly understood: true
  readonly binding: Binding
  readonly protocolVersion: ProtocolVersion
  /** Without user name, query and fragment. For gRPC host and port alone, where https means TLS. */
  readonly url: URL
  readonly tenant?: string
  /** How the URL differs from the address in the card. */
  readonly remarks: readonly string[]
  readonly written: Written
}

/** An interface that cannot be called, or not by this library. Binding and version are set if they were understood. */
export interface UnreadInterface {
  readonly understood: false
  readonly binding?: Binding
  readonly protocolVersion?: ProtocolVersion
  /** Set if the address was understood. */
  readonly url?: URL
  readonly why: string
  readonly written: Written
}

export type CardInterface = UnderstoodInterface | UnreadInterface

/** The entry's own text, unchecked; empty where there is none. */
export interface Written {
  /** `(not a string)` for anything else than text: a client may turn it into text, and call that. */
  readonly address: string
  readonly transport: string
  readonly version: string
}

const bindings: Readonly<Record<string, Binding>> = {
  JSONRPC: 'jsonrpc',
  'JSON-RPC': 'jsonrpc',
  'HTTP+JSON': 'rest',
  REST: 'rest',
  GRPC: 'grpc',
}

const notAString = '(not a string)'

const absoluteUrl = /^https?:\/\//i

/**
 * Reads every interface that a card names: the list of 1.0, then the main URL of 0.3 and its additions. A card may have
 * both. Interfaces that are not understood are returned too, each with the reason.
 *
 * @param cardUrl the URL of the card; relative addresses are resolved against it
 */
export function readInterfaces(card: CardJson, cardUrl?: URL): CardInterface[] {
  const { supportedInterfaces, additionalInterfaces, url, preferredTransport, protocolVersion } = card
  const readNewer = (entry: JsonObject): CardInterface => {
    const version = isSet(entry['protocolVersion']) ? entry['protocolVersion'] : '1.0'
    const given = { address: entry['url'], transport: entry['protocolBinding'], version }
    return read(given, readVersion(version), { cardUrl, tenant: asText(entry['tenant']) })
  }
  const olderVersion = isSet(protocolVersion) ? protocolVersion : '0.3'
  // This shape means 0.3 even if the card, which may serve both versions, names 1.0.
  const older = readVersion(olderVersion) && '0.3'
  const readOlder = ({ url: address, transport }: JsonObject): CardInterface =>
    read({ address, transport, version: olderVersion }, older, { cardUrl })
  const hasMain = isSet(url) || isSet(preferredTransport)
  const main = { url, transport: isSet(preferredTransport) ? preferredTransport : 'JSONRPC' }
  return [
    ...entriesOf('supportedInterfaces', supportedInterfaces, readNewer),
    ...(hasMain ? [readOlder(main)] : []),
    ...entriesOf('additionalInterfaces', additionalInterfaces, readOlder),
  ]
}

function entriesOf(
  field: string,
  given: unknown,
  readOne: (entry: JsonObject) => CardInterface,
): CardInterface[] {
  if (isSet(given) && !Array.isArray(given)) return [unread(`${field} is not a list`)]
  return asList(given).map((entry) =>
    isObject(entry) ? readOne(entry) : unread(`an entry of ${field} is not an object`),
  )
}

interface Around {
  readonly cardUrl?: URL
  readonly tenant?: string
}

function read(
  given: { readonly address: unknown; readonly transport: unknown; readonly version: unknown },
  protocolVersion: ProtocolVersion | undefined,
  { cardUrl, tenant = '' }: Around,
): CardInterface {
  const written = {
    address: isSet(given.address) ? textOr(given.address, notAString) : '',
    transport: isSet(given.transport) ? textOr(given.transport, notAString) : '',
    version: textOr(given.version, notAString),
  }
  const binding = Object.hasOwn(bindings, written.transport.toUpperCase())
    ? bindings[written.transport.toUpperCase()]
    : undefined
  const address =
    written.address === notAString
      ? no('its address is not a string')
      : readAddress(written.address, binding, cardUrl)
  if (binding === undefined || protocolVersion === undefined || !address.understood) {
    const url = address.understood ? address.url : undefined
    return { understood: false, binding, protocolVersion, url, why: whyNot(binding, address), written }
  }
  const { url, remarks } = address
  return { understood: true, binding, protocolVersion, url, tenant: tenant || undefined, remarks, written }
}

function whyNot(binding: Binding | undefined, address: Address): string {
  if (binding === undefined) return 'unknown transport'
  return address.understood ? 'unknown protocol version' : address.why
}

/** Patch versions do not change the protocol (A2A 1.0 §3.6). Agents of 0.2 are called as 0.3. */
function readVersion(given: unknown): ProtocolVersion | undefined {
  const [, major] = /^(1|0(?=\.))(?:\.\d+)*(?:-[\w.]+)?$/.exec(asText(given)) ?? []
  return major === undefined ? undefined : major === '1' ? '1.0' : '0.3'
}

/** Reads the address of an interface. With an unknown transport, http(s) URLs and gRPC targets are accepted. */
export function readAddress(given: string, binding: Binding | undefined, cardUrl?: URL): Address {
  const address = parseAddress(given, binding, cardUrl)
  if (!address.understood) return address
  if (isListenOnly(address.url))
    return no(`${address.url.hostname} is a listening address, which cannot be called`)
  return address.url.port === '0' ? no('port 0 cannot be called') : address
}

/** Reads the address of an interface as {@link readAddress} does, also one that is only listened on. */
export function parseAddress(given: string, binding: Binding | undefined, cardUrl?: URL): Address {
  const text = given.trim()
  if (text === '') return no('no address')
  const isTarget = binding === 'grpc' || (binding === undefined && !absoluteUrl.test(text))
  return isTarget ? readGrpcTarget(text) : readHttpAddress(text, cardUrl)
}

function readHttpAddress(text: string, cardUrl: URL | undefined): Address {
  const absolute = absoluteUrl.test(text)
  // A text with a colon in its first segment is not a relative reference (RFC 3986 §4.2), but a scheme or host:port.
  if (!absolute && /^[^/?#]*:/.test(text)) return no('neither an http:// or https:// URL nor a path')
  if (!absolute && cardUrl === undefined) return no('relative, and the URL of the card is unknown')
  if (!URL.canParse(text, cardUrl?.href)) return no('not a URL')
  const { url, remarks, query } = withoutExtras(new URL(text, cardUrl))
  return { understood: true, url, query, remarks: absolute ? remarks : ['relative to the card', ...remarks] }
}

function textOr(value: unknown, other: string): string {
  return typeof value === 'string' ? value : other
}

/** Protobuf turns missing text into empty text. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function unread(why: string): UnreadInterface {
  return { understood: false, why, written: { address: '', transport: '', version: '' } }
}

function no(why: string): Address {
  return { understood: false, why }
}
