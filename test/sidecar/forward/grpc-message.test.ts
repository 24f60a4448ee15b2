import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decompressed, isOneMessage } from '../../../src/sidecar/forward/grpc-message.js'

const message = Buffer.from('a message')

describe('a message of gRPC', () => {
  it.each([
    ['gzip', gzipSync(message)],
    ['deflate', deflateSync(message)],
  ])('is decompressed from %s', async (encoding, bytes) => {
    expect(await decompressed(bytes, encoding, message.length)).toEqual(message)
  })

  it.each(['identity', 'br', '', 'constructor', '__proto__'])(
    'is nothing in the encoding %j, which is not known',
    async (encoding) => {
      expect(await decompressed(message, encoding, 1000)).toBeUndefined()
    },
  )

  it('is refused when it is longer than that', async () => {
    await expect(decompressed(gzipSync(message), 'gzip', message.length - 1)).rejects.toThrow(RangeError)
  })

  it.each([
    ['whole', true, [0, 0, 0, 0, 2, 7, 7]],
    ['empty', true, [0, 0, 0, 0, 0]],
    ['cut off', false, [0, 0, 0, 0, 2, 7]],
    ['followed by another', false, [0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0]],
    ['cut off in its prefix', false, [0, 0, 0]],
  ])('that is %s is one message: %s', (_, isOne, bytes) => {
    expect(isOneMessage(Buffer.from(bytes))).toBe(isOne)
  })
})
