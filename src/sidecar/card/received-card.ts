import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { largestCard, readCard, type ReceivedCard } from '../../core/card/received.js'
import type { IncomingAnswer } from '../forward/exchange.js'
import { linesOf } from '../forward/fields.js'

/** The fields to ask an agent for its card with. */
export function cardRequestFields(a2aVersion: string | undefined): string[] {
  return [
    ...['Accept', 'application/json', 'Accept-Encoding', 'identity'],
    ...(a2aVersion === undefined ? [] : ['A2A-Version', a2aVersion]),
  ]
}

/**
 * Reads the card in an answer, which is read to its end or destroyed. Some agents compress it although nobody asked.
 *
 * @returns the card, or why there is none: another status than 200, a larger one than 1 MiB, no JSON, or an answer that
 *   was cut off
 */
export async function readCardAnswer({ status, fields, content }: IncomingAnswer): Promise<ReceivedCard> {
  if (status !== 200) {
    content.destroy()
    return no(`HTTP ${String(status)}`)
  }
  const bytes = await collect(content)
  if (typeof bytes === 'string') return no(bytes)
  const codings = linesOf(fields, 'content-encoding')
    .flatMap((line) => line.toLowerCase().split(','))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const [coding = 'identity', ...more] = codings
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined
  if (decode === undefined || more.length > 0) return no('a content coding that is not understood')
  try {
    return readCard(await decode(bytes, { maxOutputLength: largestCard }))
  } catch {
    return no(`no ${coding} of at most 1 MiB`)
  }
}

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const decoders: Readonly<Record<string, Decoder>> = {
  identity: (bytes) => Promise.resolve(bytes),
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/** The bytes of a stream, or why it has none to use. */
async function collect(content: Readable): Promise<Uint8Array | string> {
  let size = 0
  const tooLarge = new Error()
  async function* bounded(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > largestCard) throw tooLarge
      yield chunk
    }
  }
  try {
    return await buffer(bounded())
  } catch (error) {
    content.destroy()
    return error === tooLarge ? 'larger than 1 MiB' : 'cut off'
  }
}

function no(why: string): ReceivedCard {
  return { ok: false, why }
}
