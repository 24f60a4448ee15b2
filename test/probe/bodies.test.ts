import { createServer, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { probe } from '../../src/probe/index.js'
import { HttpClient } from '../../src/probe/wire/http.js'
import type { RawAnswer } from '../../src/probe/wire/raw-answer.js'
import { listening } from '../support/listening.js'
import { midStep, probeOptions, stillClock } from '../support/probing.js'

async function get(port: number, mostBytes = 10_000, timeoutMs = 10_000): Promise<RawAnswer> {
  const client = new HttpClient({ timeoutMs, now: () => midStep })
  const url = new URL(`http://127.0.0.1:${port}`)
  try {
    return await client.exchange(client.connection(url), { method: 'GET', url, fields: [], mostBytes })
  } finally {
    client.close()
  }
}

/** The answer to a request that is answered like this. */
async function answerOf(answer: (response: ServerResponse) => void, mostBytes?: number): Promise<RawAnswer> {
  const asked: (string | undefined)[] = []
  await using server = await listening(
    createServer(({ headers }, response) => {
      asked.push(String(headers['accept-encoding']))
      answer(response)
    }),
  )
  const result = await get(server.port, mostBytes)
  expect(asked).toEqual(['identity'])
  return result
}

/** The same for bytes of an answer as they are. */
async function answerOfBytes(say: (socket: Socket) => void, timeoutMs = 10_000): Promise<RawAnswer> {
  await using server = await listening(createTcpServer((socket) => socket.once('data', () => say(socket))))
  return await get(server.port, 10_000, timeoutMs)
}

const text = JSON.stringify({ words: 'ok '.repeat(50) })

describe('a body that is compressed unasked', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['deflate, gzip', gzipSync(deflateSync(text))],
    ['br, identity', brotliCompressSync(text)],
  ])('is read: %s', async (coding, bytes) => {
    const answer = await answerOf((response) => {
      response.writeHead(401, { 'Content-Encoding': coding }).end(bytes)
    })
    expect(answer).toMatchObject({ answered: true, status: 401, body: text })
    expect(answer).toMatchObject({ remarks: [expect.stringContaining('is compressed') as string] })
    expect(answer.answered && answer.raw).toContain(text)
  })

  it('is read where it is empty, or not compressed at all', async () => {
    const empty = await answerOf(
      (response) => void response.writeHead(401, { 'Content-Encoding': 'gzip' }).end(),
    )
    expect(empty).toMatchObject({ answered: true, status: 401, body: '' })
    const plain = await answerOf(
      (response) => void response.writeHead(200, { 'Content-Encoding': 'identity' }).end(text),
    )
    expect(plain).toMatchObject({ answered: true, body: text })
    expect(plain).not.toHaveProperty('remarks')
  })

  it.each([
    ['one that was cut', 'gzip', gzipSync(text).subarray(0, 20)],
    ['one that is none', 'gzip', Buffer.from('hello, this is no gzip')],
    ['one of another coding', 'br', gzipSync(text)],
  ])('is broken: %s', async (_, coding, bytes) => {
    const answer = await answerOf((response) => {
      response.writeHead(200, { 'Content-Encoding': coding }).end(bytes)
    })
    expect(answer).toMatchObject({
      reason: 'broken',
      explanation: `the body is not what its content-encoding says (${coding})`,
    })
  })

  it.each([
    ['zstd', 'the agent answers with content-encoding zstd, although identity was asked for'],
    ['gzip, compress', 'the agent answers with content-encoding compress, although identity was asked for'],
    ['::error::x', 'the agent answers with an unknown content-encoding'],
    ['toString', 'the agent answers with content-encoding tostring, although identity was asked for'],
    ['gzip, gzip, gzip, gzip', 'the agent answers with 4 content-encodings at once'],
  ])('is named where the coding is %j', async (coding, explanation) => {
    const answer = await answerOf((response) => {
      response.writeHead(200, { 'Content-Encoding': coding }).end('x')
    })
    expect(answer).toMatchObject({ answered: false, reason: 'broken', explanation })
  })

  it.each([
    ['gzip', () => gzipSync(Buffer.alloc(50_000_000))],
    ['gzip, gzip', () => gzipSync(gzipSync(Buffer.alloc(50_000_000)))],
    ['br', () => brotliCompressSync(Buffer.alloc(50_000_000))],
  ])('has a bound: %s', { timeout: 60_000 }, async (coding, bomb) => {
    const bytes = bomb()
    const before = process.memoryUsage().rss
    const answer = await answerOf((response) => {
      response.writeHead(200, { 'Content-Encoding': coding }).end(bytes)
    }, 100_000)
    expect(answer).toMatchObject({ explanation: 'the answer is longer than 100000 bytes' })
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000)
  })

  it('is read as a stream of events, event by event', async () => {
    const answer = await answerOf((response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip' })
      const gzip = createGzip()
      gzip.pipe(response)
      gzip.write('data: {"first":1}\n\n')
      // The stream stays open.
      gzip.flush()
    })
    expect(answer).toMatchObject({ answered: true, body: 'data: {"first":1}\n\n' })
  })
})

describe('a byte order mark', () => {
  it.each([
    ['UTF-8', Buffer.from(`\ufeff${text}`)],
    ['UTF-16LE', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16BE', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('of %s is no part of the body, and remarked on', async (name, bytes) => {
    const answer = await answerOf((response) => void response.end(bytes))
    expect(answer).toMatchObject({ answered: true, body: text })
    expect(answer).toMatchObject({ remarks: [expect.stringContaining(name) as string] })
  })

  it.each<[string, (card: string) => Buffer, Record<string, string>, RegExp]>([
    ['with a byte order mark', (card) => Buffer.from(`\ufeff${card}`), {}, /byte order mark \(UTF-8\)/],
    ['in UTF-16', (card) => Buffer.from(`\ufeff${card}`, 'utf16le'), {}, /byte order mark \(UTF-16LE\)/],
    ['compressed', (card) => gzipSync(card), { 'Content-Encoding': 'gzip' }, /compressed \(gzip\)/],
  ])('and a card %s is read, and card.fetch remarks on it', async (_, bytes, fields, remark) => {
    const supportedInterfaces = [
      { url: 'http://127.0.0.1:1/', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ]
    await using server = await listening(
      createServer((_request, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json', ...fields })
        response.end(bytes(JSON.stringify({ name: 'x', supportedInterfaces })))
      }),
    )
    const options = probeOptions(`http://127.0.0.1:${server.port}`, stillClock(midStep))
    const report = await probe({ ...options, only: ['card.fetch'] })
    expect(report.agent).toBe('x')
    const fetched = report.checks.find(({ id }) => id === 'card.fetch')
    expect(fetched?.status).toBe('pass')
    expect(fetched?.detail).toMatch(remark)
  })
})

describe('an answer that HTTP allows', () => {
  it.each<[string, string, object]>([
    ['without a length', 'HTTP/1.0 200 OK\r\n\r\nhello', { status: 200, body: 'hello' }],
    ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '' }],
    [
      'in chunks with a trailer',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
      { status: 200, body: 'hello' },
    ],
    [
      'after others that are informational',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
      { status: 200, body: 'hello' },
    ],
  ])('is read: %s', async (_, bytes, expected) => {
    expect(await answerOfBytes((socket) => socket.end(bytes))).toMatchObject({ answered: true, ...expected })
  })

  it.each<[string, (socket: Socket) => void, string, RegExp]>([
    [
      'cut in its body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel'),
      'broken',
      /broke before the answer was complete/,
    ],
    [
      'reset in its body',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel', () => socket.resetAndDestroy())
      },
      'broken',
      /broke before|ECONNRESET/,
    ],
    [
      'with a header of 40 KB',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`),
      'broken',
      /the header of the answer is too long/,
    ],
    [
      'that switches protocols',
      (socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      'broken',
      /101/,
    ],
    [
      'that is longer than the limit',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(20_000)}`),
      'broken',
      /longer than 10000 bytes/,
    ],
    ['that never comes', () => undefined, 'timeout', /^no complete answer within 400 ms$/],
  ])('is named where it is one %s', async (_, say, reason, explanation) => {
    const answer = await answerOfBytes(say, 400)
    expect(answer).toMatchObject({ answered: false, reason })
    expect(answer).toMatchObject({ explanation: expect.stringMatching(explanation) as string })
  })
})
