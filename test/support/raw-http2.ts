/** Name and value of each field, pseudo-fields among them, as they are to be sent. */
export type Http2Fields = readonly (readonly [name: string, value: string])[]

export const frames = { data: 0, headers: 1, reset: 3, settings: 4, continuation: 9 }
export const endStream = 0x1
export const endHeaders = 0x4

/** A frame of HTTP/2 (RFC 9113 §4.1). */
export function frame(type: number, flags = 0, stream = 0, payload: Buffer = Buffer.alloc(0)): Buffer {
  const start = Buffer.alloc(9)
  start.writeUIntBE(payload.length, 0, 3)
  start.writeUInt8(type, 3)
  start.writeUInt8(flags, 4)
  start.writeUInt32BE(stream, 5)
  return Buffer.concat([start, payload])
}

/** What a client says first (RFC 9113 §3.4). */
export const opening = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(frames.settings),
])

/** Fields in HPACK, literal and not indexed (RFC 7541 §6.2.2), so that nothing checks them on this side. */
export function hpack(fields: Http2Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]))
}

/** RFC 7541 §5.2, in latin1. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const most = 127
  if (bytes.length < most) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [most]
  let rest = bytes.length - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

/** A request on stream 1 with a content, and with trailers if there are any. */
export function http2Request(fields: Http2Fields, content = 'abc', trailers: Http2Fields = []): Buffer {
  const isLast = trailers.length === 0
  return Buffer.concat([
    opening,
    frame(frames.headers, endHeaders, 1, hpack(fields)),
    frame(frames.data, isLast ? endStream : 0, 1, Buffer.from(content)),
    ...(isLast ? [] : [frame(frames.headers, endHeaders | endStream, 1, hpack(trailers))]),
  ])
}

/** The contents that were heard, together. */
export function contentIn(heard: string): string {
  return framesIn(heard)
    .map(({ type, payload }) => (type === frames.data ? payload.toString('latin1') : ''))
    .join('')
}

/** Whole frames in what was heard, as latin1. */
export function framesIn(heard: string): { readonly type: number; readonly payload: Buffer }[] {
  const bytes = Buffer.from(heard, 'latin1')
  const found: { readonly type: number; readonly payload: Buffer }[] = []
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3)
    found.push({ type: bytes.readUInt8(at + 3), payload: bytes.subarray(at + 9, at + 9 + length) })
    at += 9 + length
  }
  return found
}
