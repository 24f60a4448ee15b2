import { describe, expect, it } from 'vitest'
import { readHttpAnswer } from '../../src/probe/wire/http-answer.js'
import type { HttpAnswer } from '../../src/probe/wire/raw-answer.js'
import { readGrpcAnswer } from '../../src/probe/wire/grpc-answer.js'
import { rawAnswer } from '../support/answers.js'

const taskId = '01234567-89ab-4cde-8f01-23456789abcd'
const info = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'TASK_NOT_FOUND',
  domain: 'a2a-protocol.org',
}
const missing = `Task not found: ${taskId}`

function answer(status: number, body: unknown, headers: Record<string, string> = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all = { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers }
  return {
    answered: true,
    status,
    header: (name) => Object.entries(all).flatMap(([key, value]) => (key === name ? [value] : [])),
    body: text,
    raw: text,
    receivedAt: new Date(0),
    durationMs: 1,
    localPort: 1,
  }
}

const rpc = (error: Record<string, unknown>): unknown => ({ jsonrpc: '2.0', id: 1, error })

describe('an answer to GetTask with a random id', () => {
  it.each([
    // What @a2a-js/sdk 0.3.14 and 1.3.0 answer in each cell.
    ['0.3 JSON-RPC', 200, rpc({ code: -32001, message: missing })],
    ['0.3 REST', 404, { code: -32001, message: missing }],
    ['JSON-RPC with the name of a class', 200, rpc({ code: -32001, message: 'TaskNotFoundError' })],
    ['JSON-RPC in other words', 200, rpc({ code: -32001, message: `Could not find task ${taskId}` })],
    ['JSON-RPC in a sentence', 200, rpc({ code: -32001, message: `There is no task ${taskId}` })],
    ['1.0 JSON-RPC', 200, rpc({ code: -32001, message: missing, data: [info] })],
    ['1.0 REST', 404, { error: { code: 404, status: 'NOT_FOUND', message: missing, details: [info] } }],
    // What a2a-sdk 0.3.26 for Python answers.
    ["Python's 0.3 REST", 404, { message: 'Task not found' }],
    // Words do not count where the reason is named.
    [
      'a translated one',
      200,
      rpc({ code: -32001, message: 'Aufgabe: authentische Suche ergebnislos', data: [info] }),
    ],
    ['problem details', 404, { type: 'https://a2a-protocol.org/errors/task-not-found', status: 404 }],
  ])('is authenticated when it is the TaskNotFound of %s', (_, status, body) => {
    expect(readHttpAnswer(answer(status, body), taskId).kind).toBe('authenticated')
  })

  it.each([
    ['an unknown method', 200, rpc({ code: -32601, message: 'Method not found: GetTask' })],
    ['an unsupported version', 200, rpc({ code: -32009, message: 'VERSION_NOT_SUPPORTED' })],
    [
      'an unsupported version in REST',
      400,
      { error: { code: 400, status: 'FAILED_PRECONDITION', message: '' } },
    ],
    ['a page that is missing', 404, '<pre>Cannot GET /tasks</pre>'],
    [
      "Fastify's missing route",
      404,
      { message: `Route GET:/tasks/${taskId} not found`, error: 'Not Found', statusCode: 404 },
    ],
    ["FastAPI's missing route", 404, { detail: 'Not Found' }],
    ['a method that HTTP refuses', 405, ''],
  ])('is unserved when it is %s', (_, status, body) => {
    expect(readHttpAnswer(answer(status, body), taskId).kind).toBe('unserved')
  })

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [407, 'foreign'],
    [429, 'throttled'],
    [302, 'redirected'],
    [500, 'failed'],
    [503, 'failed'],
  ])('with the status %i is %s, whatever the body says', (status, kind) => {
    expect(readHttpAnswer(answer(status, rpc({ code: -32001, message: missing })), taskId).kind).toBe(kind)
  })

  it.each([
    ['another error', rpc({ code: -32603, message: 'internal' })],
    ['-32001 that speaks of credentials', rpc({ code: -32001, message: 'Unauthorized' })],
    ['-32001 that speaks of a key', rpc({ code: -32001, message: 'Missing API key' })],
    ['-32001 that speaks of a session', rpc({ code: -32001, message: 'Session expired' })],
    ['-32001 that speaks of all tasks', rpc({ code: -32001, message: 'Access to tasks is not permitted' })],
    ['-32001 that says nothing', rpc({ code: -32001, message: '' })],
    ['an error in one word', { error: 'invalid_token', error_description: 'no' }],
    ['JSON of some other kind', { detail: 'hello' }],
    ['the envelope of a gateway', { success: false, code: 'A0301', message: 'no access', result: null }],
    ['an envelope with an empty result', { isSuccess: false, msg: 'log in', task: null, result: {} }],
  ])('is neither when it is %s', (_, body) => {
    expect(readHttpAnswer(answer(200, body), taskId).kind).toBe('other')
  })

  it.each([
    ['a task', { jsonrpc: '2.0', id: 1, result: { kind: 'task' } }, {}],
    ['an empty result', { jsonrpc: '2.0', id: 1, result: null }, {}],
    ['a task without a version', { id: 1, result: { id: '1', status: { state: 'completed' } } }, {}],
    ['a message without a version', { id: 1, result: { kind: 'message', parts: [] } }, {}],
    ['a stream that opens', 'retry: 1000\n\n', { 'content-type': 'text/event-stream' }],
  ])('shows that the call was served when it is %s', (_, body, headers) => {
    expect(readHttpAnswer(answer(200, body, headers), taskId).kind).toBe('answered')
  })

  it.each([7, 16])(
    'shows that the call was served when gRPC sends a message before the status %i',
    (code) => {
      const fields = { 'content-type': 'application/grpc', 'grpc-status': String(code) }
      const message = { ...rawAnswer(200, '', fields), bytes: Buffer.from([0, 0, 0, 0, 0]) }
      expect(readGrpcAnswer(message, taskId).kind).toBe('answered')
      expect(readGrpcAnswer({ ...message, bytes: Buffer.alloc(0) }, taskId).kind).toBe('refused')
    },
  )

  it('is a stream over gRPC without a status only while that is open, or has sent a message', () => {
    const ended = rawAnswer(200, '', { 'content-type': 'application/grpc' })
    const message = Buffer.from([0, 0, 0, 0, 0])
    expect(readGrpcAnswer({ ...ended, isOpen: true }, taskId).kind).toBe('answered')
    expect(readGrpcAnswer({ ...ended, bytes: message }, taskId).kind).toBe('answered')
    expect(readGrpcAnswer(ended, taskId)).toMatchObject({ kind: 'unreadable', status: 200 })
  })

  it('reads the first event of a stream', () => {
    const event = `event: error\ndata: ${JSON.stringify(rpc({ code: -32001, message: missing, data: [info] }))}\n\n`
    const read = readHttpAnswer(answer(200, event, { 'content-type': 'text/event-stream' }), taskId)
    expect(read.kind).toBe('authenticated')
  })

  it.each([
    ['nothing', 204, ''],
    ['a JSON number', 200, 7],
  ])('is unreadable when it is %s', (_, status, body) => {
    expect(readHttpAnswer(answer(status, body), taskId).kind).toBe('unreadable')
  })

  it('is to be compared with others when it is a page', () => {
    expect(readHttpAnswer(answer(200, '<html>Log in</html>'), taskId).kind).toBe('other')
  })

  it('looks the same as another that differs in ids and times only', () => {
    const face = (id: string, time: string): string =>
      readHttpAnswer(answer(401, { error: { message: 'no', id, time } }, { date: time }), taskId).face
    expect(face('6f2c1e1a-6d7a-4b37-b2cd-0c4d5b6a7f80', '2030-01-01T00:00:00Z')).toBe(
      face('11111111-2222-4333-8444-555555555555', '2031-12-31T23:59:59.123Z'),
    )
  })

  it.each([
    ['Tue, 01 Jan 2030 00:00:00 GMT', {}, '2030-01-01T00:00:00Z'],
    ['Thursday, 01-Jan-70 01:00:00 GMT', {}, '1970-01-01T01:00:00Z'],
    ['Tue Jan  1 00:00:00 2030', {}, '2030-01-01T00:00:00Z'],
    ['Tue, 01 Jan 2030 00:00:00 GMT', { age: '3600' }, '2030-01-01T01:00:00Z'],
    ['Tue Jan  1 00:00:00 2030', { age: '3' }, '2030-01-01T00:00:03Z'],
  ])('with the Date %s and %j was sent at %s', (date, age, sent) => {
    expect(readHttpAnswer(answer(401, {}, { date, ...age }), taskId).date).toEqual(new Date(sent))
  })
})
