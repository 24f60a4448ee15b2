import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { findFailure, timedOut, type Failure, type KnowsFailure } from '../../src/state/failure.js'

const withCode = (code: unknown, fields: object = {}): Error =>
  Object.assign(new Error('secret of alice'), { code, ...fields })

/** An error at the end of a chain of errors, each of which was caused by the next. */
const causedBy = (depth: number, last: unknown): unknown =>
  depth === 0 ? last : new Error('because', { cause: causedBy(depth - 1, last) })

const unknown = { cause: 'unknown', advice: expect.stringContaining('its own log says more') as string }
const refused = { cause: 'ECONNREFUSED', advice: 'is it running, and reachable from here?' }

describe('why something could not be asked', () => {
  it.each([
    ['ECONNRESET', 'is it running'],
    ['UND_ERR_HEADERS_TIMEOUT', 'in time'],
    ['EAI_AGAIN', 'DNS'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['EMFILE', 'limits'],
    ['ERR_JOSE_GENERIC', 'jwksUrl'],
    ['ERR_STATE_UNAVAILABLE', 'log'],
  ])('is the code %s of an error, with what to do: %s', (code, advice) => {
    expect(findFailure(withCode(code))).toEqual({
      cause: code,
      advice: expect.stringContaining(advice) as string,
    })
  })

  it('is found under the error of fetch, which only says that it failed', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const error: unknown = await fetch(`http://127.0.0.1:${String(port)}`).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: 'fetch failed' })
    expect(findFailure(error)).toEqual(refused)
  })

  it('is a time-out for a signal that ended a request in time', async () => {
    const signal = AbortSignal.timeout(0)
    await once(signal, 'abort')
    expect(findFailure(signal.reason)).toEqual(timedOut)
    expect(findFailure(new Error('gave up', { cause: signal.reason }))).toEqual(timedOut)
    expect(timedOut).toEqual({ cause: 'timeout', advice: expect.stringContaining('in time') as string })
  })

  it.each([
    ['cause', new Error('x', { cause: withCode('ECONNREFUSED') })],
    ['originalError', Object.assign(new Error('x'), { originalError: withCode('ECONNREFUSED') })],
    ['lastNodeError', Object.assign(new Error('x'), { lastNodeError: withCode('ECONNREFUSED') })],
    ['errors', new AggregateError([withCode('EWHAT'), withCode('EWHY'), withCode('ECONNREFUSED')])],
    ['cause, before its own', withCode('EPIPE', { cause: withCode('ECONNREFUSED') })],
    ['own, where the cause is on no list', withCode('ECONNREFUSED', { cause: new Error('x') })],
    ['own, where there is no cause', withCode('ECONNREFUSED', { cause: null })],
    ['own, where the cause is no error', withCode('ECONNREFUSED', { cause: 'EPIPE', errors: 'EPIPE' })],
  ])('is looked for in what caused it: %s', (_where, error) => {
    expect(findFailure(error)).toEqual(refused)
  })

  it('is looked for in the first three of many errors, and five causes deep', () => {
    const many = [1, 2, 3].map((n) => withCode(`E${String(n)}`))
    expect(findFailure(new AggregateError([...many, withCode('ECONNREFUSED')]))).toEqual(unknown)
    expect(findFailure(causedBy(5, withCode('ECONNREFUSED')))).toEqual(refused)
    expect(findFailure(causedBy(6, withCode('ECONNREFUSED')))).toEqual(unknown)
  })

  it('is found for an error that is its own cause', () => {
    const error = withCode('ECONNREFUSED')
    error.cause = error
    expect(findFailure(error)).toEqual(refused)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'ECONNREFUSED'],
    ['an error without a code', new Error('ECONNREFUSED')],
    ['an error with an unheard-of code', withCode('ESECRET')],
    ['an error with a number as its code', withCode(1)],
    [
      'an error whose fields throw',
      {
        get code() {
          throw new Error('no')
        },
      },
    ],
  ])('is unknown for %s', (_what, error) => {
    expect(findFailure(error)).toEqual(unknown)
  })
})

describe('the errors of a certain kind of service', () => {
  const full: Failure = { cause: 'full', advice: 'empty it' }
  const knowsFull: KnowsFailure = ({ name, message }) =>
    name.startsWith('Disk') && message.startsWith('full') ? full : undefined
  const error = (name: unknown, message: unknown, code?: string): object => ({ name, message, code })

  it('are known by name and text, before any code', () => {
    expect(findFailure(error('DiskError', 'full: alice', 'EPIPE'), knowsFull)).toEqual(full)
    expect(findFailure(new Error('x', { cause: error('DiskError', 'full') }), knowsFull)).toEqual(full)
    expect(findFailure(error('DiskError', 'empty', 'ECONNREFUSED'), knowsFull)).toEqual(refused)
  })

  it.each([
    [undefined, 'full'],
    ['DiskError', undefined],
    [undefined, undefined],
    [1, { toString: 'full' }],
  ])('are not looked for where the name is %j and the text %j', (name, message) => {
    expect(findFailure(error(name, message, 'ECONNREFUSED'), knowsFull)).toEqual(refused)
  })
})
