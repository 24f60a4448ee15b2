import { PassThrough, Readable } from 'node:stream'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cardRequestFields, readCardAnswer } from '../../../src/sidecar/card/received-card.js'

const bytes = (text: string) => Buffer.from(text)
const answer = (content: Buffer | Readable, coding?: string, status = 200) => ({
  status,
  fields: coding === undefined ? [] : ['Content-Encoding', coding],
  content: Buffer.isBuffer(content) ? Readable.from([content]) : content,
  trailers: () => [],
})
const why = async (...args: Parameters<typeof answer>) => {
  const read = await readCardAnswer(answer(...args))
  return read.ok ? read.card : read.why
}
const deep = (levels: number) => bytes(`{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`)
const large = bytes(JSON.stringify({ name: 'x'.repeat(1024 * 1024) }))

it('a card is asked for as it is, of the version that the client named', () => {
  const always = ['Accept', 'application/json', 'Accept-Encoding', 'identity']
  expect(cardRequestFields(undefined)).toEqual(always)
  expect(cardRequestFields('1.0')).toEqual([...always, 'A2A-Version', '1.0'])
})

describe('a card in an answer', () => {
  it.each([
    ['as it is', bytes('{"name":"x"}'), undefined],
    ['with a byte order mark', bytes('\uFEFF{"name":"x"}'), 'identity'],
    ['compressed unasked', gzipSync('{"name":"x"}'), 'gzip'],
    ['compressed unasked', deflateSync('{"name":"x"}'), 'deflate'],
    ['compressed unasked', gzipSync('{"name":"x"}'), 'x-gzip'],
    ['compressed unasked', gzipSync('{"name":"x"}'), 'identity , gzip, '],
    ['compressed unasked', brotliCompressSync('{"name":"x"}'), 'BR'],
  ])('is read %s', async (_, content, coding) => {
    expect(await why(content, coding)).toEqual({ name: 'x' })
  })

  it.each([
    ['HTTP 404', bytes('{}'), undefined, 404],
    ['HTTP 302', bytes('{}'), undefined, 302],
    ['not JSON', bytes('<html>'), undefined],
    ['not JSON', deep(100_000), undefined],
    ['not a JSON object', bytes('[]'), undefined],
    ['not a JSON object', bytes('null'), undefined],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), undefined],
    ['text that is not Unicode', bytes('{"name":"\\uD800"}'), undefined],
    ['text that is not Unicode', bytes('{"a":[{"\\udc00":1}]}'), undefined],
    ['larger than 1 MiB', large, undefined],
    ['no gzip of at most 1 MiB', gzipSync(large), 'gzip'],
    ['no gzip of at most 1 MiB', bytes('{}'), 'gzip'],
    ['a content coding that is not understood', bytes('{}'), 'zstd'],
    ['a content coding that is not understood', gzipSync(gzipSync('{}')), 'gzip, gzip'],
    ['a content coding that is not understood', bytes('{}'), 'constructor'],
  ])('is none that is %s', async (expected, content, coding, status?: number) => {
    expect(await why(content, coding, status)).toBe(expected)
  })

  it('may have pairs of surrogates and deep lists', async () => {
    expect(await why(bytes('{"name":"\\uD83D\\uDE00"}'))).toEqual({ name: '😀' })
    expect(await why(deep(150))).toHaveProperty('a')
  })

  it('is none that is cut off, or never ends', async () => {
    const cut = new PassThrough()
    cut.write('{"name":')
    setImmediate(() => cut.destroy(new Error('reset')))
    expect(await why(cut)).toBe('cut off')
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65536, ' ')
      })(),
    )
    expect(await why(endless)).toBe('larger than 1 MiB')
    expect(endless.destroyed).toBe(true)
  })
})
