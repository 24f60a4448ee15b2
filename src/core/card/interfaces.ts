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
  /** Without user name, query and fragment. For gRPC just the place; https means TLS. */
  readonly url: URL
  readonly tenant?: string
  /** What differs from the address as it is written. */
  readonly remarks: readonly string[]
  readonly written: Written
}

/** An interface that cannot be called, or not by us. Binding and version are set where these were understood. */
export interface UnreadInterface {
  readonly understood: false
  readonly binding?: Binding
  readonly protocolVersion?: ProtocolVersion
  /** Set where the address was understood. */
  readonly url?: URL
  readonly why: string
  readonly written: Written
}

export type CardInterface = UnderstoodInterface | UnreadInterface

/** What the card says, where it is text: nothing of it is trusted. */
export interface Written {
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

/**
 * Reads every interface that a card names: 1.0's list, then 0.3's main URL with its additions. A card may have both.
 * What is not understood is among them, each with the reason.
 *
 * @param cardUrl where the card was found; relative addresses are resolved against it
 */
export function readInterfaces(card: CardJson, cardUrl?: URL): CardInterface[] {
  const { supportedInterfaces, additionalInterfaces, url, preferredTransport, protocolVersion } = card
  const readNewer = (entry: JsonObject): CardInterface => {
    const version = isSet(entry['protocolVersion']) ? entry['protocolVersion'] : '1.0'
    const given = { address: entry['url'], transport: entry['protocolBinding'], version }
    return read(given, readVersion(version), { cardUrl, tenant: asText(entry['tenant']) })
  }
  const olderVersion = isSet(protocolVersion) ? protocolVersion : '0.3'
  // This shape is 0.3's, also where the card of an agent of both versions names 1.0.
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
    address: asText(given.address),
    transport: asText(given.transport),
    version: asText(given.version),
  }
  const binding = Object.hasOwn(bindings, written.transport.toUpperCase())
    ? bindings[written.transport.toUpperCase()]
    : undefined
  const address = readAddress(written.address, binding, cardUrl)
  if (binding === undefined || protocolVersion === undefined || !address.understood) {
    const why =
      binding === undefined
        ? 'its transport is not known'
        : !address.understood
          ? address.why
          : 'its protocol version is not known'
    const url = address.understood ? address.url : undefined
    return { understood: false, binding, protocolVersion, url, why, written }
  }
  const { url, remarks } = address
  return { understood: true, binding, protocolVersion, url, tenant: tenant || undefined, remarks, written }
}

/** Versions differ in their patch alone without a change of the protocol (A2A 1.0 §3.6); 0.2 is called as 0.3. */
function readVersion(given: unknown): ProtocolVersion | undefined {
  const [, major] = /^(1|0(?=\.))(?:\.\d+)*(?:-[\w.]+)?$/.exec(asText(given)) ?? []
  return major === undefined ? undefined : major === '1' ? '1.0' : '0.3'
}

/** Reads the address of an interface. Where its transport is not known, either form will do. */
export function readAddress(given: string, binding: Binding | undefined, cardUrl?: URL): Address {
  const text = given.trim()
  if (text === '') return no('it has no address')
  const address = binding === 'grpc' ? readGrpcTarget(text) : readHttpAddress(text, cardUrl)
  if (!address.understood) {
    const other = binding === undefined ? readGrpcTarget(text) : address
    return other.understood ? other : address
  }
  if (isListenOnly(address.url))
    return no(`${address.url.hostname} is an address to listen on, not one to call`)
  return address.url.port === '0' ? no('port 0 cannot be called') : address
}

function readHttpAddress(text: string, cardUrl: URL | undefined): Address {
  const absolute = /^https?:\/\//i.test(text)
  // With a colon in its first segment a text is no relative reference (RFC 3986 §4.2) but a scheme, or host:port.
  if (!absolute && /^[^/?#]*:/.test(text)) return no('it is not a URL with http:// or https://, nor a path')
  if (!absolute && cardUrl === undefined) return no('it is relative, and the URL of the card is not known')
  if (!URL.canParse(text, cardUrl?.href)) return no('it is not a URL')
  const { url, remarks } = withoutExtras(new URL(text, cardUrl))
  return { understood: true, url, remarks: absolute ? remarks : ['it is relative to the card', ...remarks] }
}

/** Empty text is what protobuf makes of a missing one. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function unread(why: string): UnreadInterface {
  return { understood: false, why, written: { address: '', transport: '', version: '' } }
}

function no(why: string): Address {
  return { understood: false, why }
}
