import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** What is read of `envoy.service.auth.v3.CheckRequest`. */
export interface CheckRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Names are in lower case. Several lines of a field are several pairs, if Envoy was told to send them so. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Of the client, as Envoy sees it. */
  readonly source: string | undefined
}

/** Field numbers of attribute_context.proto, address.proto and base.proto. */
const inCheck = { attributes: 1 }
const inAttributes = { source: 1, request: 4 }
const inPeer = { address: 1 }
const inAddress = { socketAddress: 1 }
const inSocketAddress = { address: 2 }
const inRequest = { http: 2 }
const inHttp = { method: 2, headers: 3, path: 4, headerMap: 13 }
const inHeaderMap = { headers: 1 }
const inHeader = { key: 1, value: 2, rawValue: 3 }

/** @throws for what is no message of protobuf */
export function decodeCheck(message: Uint8Array): CheckRequest {
  const attributes = nested(parse(message), inCheck.attributes)
  const http = nested(nested(attributes, inAttributes.request), inRequest.http)
  const address = nested(nested(attributes, inAttributes.source), inPeer.address)
  const source = textOf(nested(address, inAddress.socketAddress), inSocketAddress.address)
  // Every line as it was received, with `encode_raw_headers`; otherwise joined ones, in which no doubled credential is valid.
  const raw = allOf(nested(http, inHttp.headerMap), inHeaderMap.headers)
  const lines = raw.length > 0 ? raw : allOf(http, inHttp.headers)
  return {
    method: textOf(http, inHttp.method),
    path: textOf(http, inHttp.path),
    headers: lines.map((line) => headerOf(parse(line))),
    source: source === '' ? undefined : source,
  }
}

/** The values of each field that is bytes, a text or a message: nothing else is read. */
type Parsed = ReadonlyMap<number, readonly Uint8Array[]>

function parse(message: Uint8Array): Parsed {
  const reader = new BinaryReader(message)
  const fields = new Map<number, Uint8Array[]>()
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (type === WireType.LengthDelimited) fields.set(field, [...(fields.get(field) ?? []), reader.bytes()])
    else reader.skip(type, field)
  }
  return fields
}

const allOf = (fields: Parsed, field: number): readonly Uint8Array[] => fields.get(field) ?? []
const empty = new Uint8Array()
const lastOf = (fields: Parsed, field: number): Uint8Array => allOf(fields, field).at(-1) ?? empty
const nested = (fields: Parsed, field: number): Parsed => parse(lastOf(fields, field))
const textOf = (fields: Parsed, field: number): string => Buffer.from(lastOf(fields, field)).toString()

/** Bytes become characters one by one, as Node reads header fields. */
function headerOf(line: Parsed): [name: string, value: string] {
  const value = line.has(inHeader.rawValue) ? lastOf(line, inHeader.rawValue) : lastOf(line, inHeader.value)
  return [textOf(line, inHeader.key).toLowerCase(), Buffer.from(value).toString('latin1')]
}

/** What is written of `CheckResponse`. */
export type CheckResponse =
  | {
      /** Set before the request goes on, over what the client sent. */
      readonly set: readonly (readonly [name: string, value: string])[]
      /** Taken out before the request goes on. */
      readonly remove: readonly string[]
    }
  | {
      /** Of HTTP; Envoy makes a status of gRPC of it where the request is one. */
      readonly status: number
      readonly headers: readonly (readonly [name: string, value: string])[]
      readonly body: string
    }

/** Field numbers of external_auth.proto and google.rpc.Status. */
const inResponse = { status: 1, denied: 2, ok: 3 }
const inStatus = { code: 1 }
const inDenied = { status: 1, headers: 2, body: 3 }
const inOk = { headers: 2, remove: 5 }
const inOption = { header: 1, append: 2 }
/** google.rpc.Code: Envoy only asks whether it is OK. */
const unauthenticated = 16

export function encodeCheck(response: CheckResponse): Uint8Array {
  const writer = new BinaryWriter()
  if ('set' in response) {
    const ok = new BinaryWriter()
    for (const [name, value] of response.set) message(ok, inOk.headers, replacing(name, value))
    for (const name of response.remove) ok.tag(inOk.remove, WireType.LengthDelimited).string(name)
    // An absent code is OK.
    message(message(writer, inResponse.status, new BinaryWriter()), inResponse.ok, ok)
    return writer.finish()
  }
  const { status, headers, body } = response
  const denied = number(new BinaryWriter(), 1, status)
  const answer = message(new BinaryWriter(), inDenied.status, denied)
  // Without `append`: Envoy then keeps every line of a field, and with it all but the first are lost (1.40).
  for (const [name, value] of headers) message(answer, inDenied.headers, headerOption(name, value))
  answer.tag(inDenied.body, WireType.LengthDelimited).string(body)
  message(writer, inResponse.status, number(new BinaryWriter(), inStatus.code, unauthenticated))
  return message(writer, inResponse.denied, answer).finish()
}

function headerOption(name: string, value: string): BinaryWriter {
  const header = new BinaryWriter().tag(inHeader.key, WireType.LengthDelimited).string(name)
  header.tag(inHeader.value, WireType.LengthDelimited).string(value)
  return message(new BinaryWriter(), inOption.header, header)
}

/** In place of what the client sent, and not beside it: `append` is false, and said to be, since its absence means true. */
function replacing(name: string, value: string): BinaryWriter {
  return message(headerOption(name, value), inOption.append, new BinaryWriter())
}

const number = (writer: BinaryWriter, field: number, value: number): BinaryWriter =>
  writer.tag(field, WireType.Varint).int32(value)

const message = (writer: BinaryWriter, field: number, content: BinaryWriter): BinaryWriter =>
  writer.tag(field, WireType.LengthDelimited).bytes(content.finish())
