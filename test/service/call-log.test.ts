import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { formatCall, shownPath, type LoggedCall, type LoggedOutcome } from '../../src/service/call-log.js'
import { listenHttp, logHttpCalls } from '../../src/service/http.js'
import type { Listener } from '../../src/service/listener.js'

let listener: Listener | undefined
afterEach(() => listener?.stop())

const call: LoggedCall = {
  outcome: undefined,
  method: 'GET',
  path: '/a',
  status: '200',
  durationMs: 3,
}

describe('a call as text', () => {
  it.each<[LoggedOutcome | undefined, string]>([
    [undefined, 'anyone GET /a 200 3 ms'],
    [{ caller: { peer: 'alice' } }, 'alice GET /a 200 3 ms'],
    [{ refusal: { reason: 'token-missing' } }, 'refused (token-missing) GET /a 200 3 ms'],
    [{ refusal: { peer: 'bob', reason: 'code-wrong' } }, 'refused bob (code-wrong) GET /a 200 3 ms'],
  ])('of %j is %j', (outcome, line) => {
    expect(formatCall({ ...call, outcome })).toBe(line)
  })

  it('has no method for gRPC', () => {
    const grpcCall = { ...call, method: undefined, path: '/a.B/C', status: 'OK' }
    expect(formatCall(grpcCall)).toBe('anyone /a.B/C OK 3 ms')
  })
})

describe('the path that a log shows', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a?key=secret', '/a'],
    ['/a#secret', '/a'],
    ['/a#b?secret', '/a'],
    ['http://user:secret@agent.example/a?b', '/a'],
    ['http://user:secret@agent.example', ''],
    ['*', '*'],
    ['/é\u001b ::error::', '/???::error::'],
  ])('of %j is %j', (target, path) => {
    expect(shownPath(target)).toBe(path)
  })
})

describe('the log of an HTTP server', () => {
  /** Sends one request, and returns what was logged of it. */
  async function logged(path: string, answer: 'whole' | 'cut off' = 'whole'): Promise<LoggedCall> {
    const calls: LoggedCall[] = []
    const handler = logHttpCalls(
      (request, response) => {
        request.url = '/rewritten'
        if (answer === 'whole') response.end('done')
        else response.write('half', () => response.destroy())
      },
      () => ({ caller: { peer: 'alice' } }),
      (one) => void calls.push(one),
    )
    listener = await listenHttp(createServer(handler), 0)
    const { address } = listener
    await fetch(`http://${address}${path}`)
      .then((response) => response.text())
      .catch(() => undefined)
    await expect.poll(() => calls).toHaveLength(1)
    await listener.stop()
    listener = undefined
    return calls[0] ?? expect.fail('nothing logged')
  }

  it('has the path as it was sent, without the query', async () => {
    expect(await logged('/a/b?key=secret')).toMatchObject({
      outcome: { caller: { peer: 'alice' } },
      method: 'GET',
      path: '/a/b',
      status: '200',
    })
  })

  it('cuts a long path', async () => {
    expect((await logged(`/${'x'.repeat(200)}`)).path).toBe(`/${'x'.repeat(99)}...`)
  })

  it('marks an answer that was cut off', async () => {
    expect((await logged('/a', 'cut off')).status).toBe('200 (cut off)')
  })
})
