import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTaskNotFound } from '../../src/probe/run/compared.js'
import type { Exchange, Stage } from '../../src/probe/run/exchange.js'
import { isShown, isSuccess, wasLetIn } from '../../src/probe/run/reading.js'
import type { CheckId } from '../../src/probe/index.js'
import type { Answer } from '../../src/probe/wire/answer.js'
import { html, overGrpc, overHttp, rpcError, taskId } from '../support/answers.js'

const exchange = (check: CheckId, stage: Stage, answer: Answer): Exchange => ({
  cell: null,
  check,
  stage,
  label: check,
  operation: 'get',
  again: false,
  isGuess: stage === 'guess',
  isSigned: false,
  carried: [],
  sentAt: new Date(0),
  answer,
})

interface Answers {
  readonly none: Answer
  readonly bearer?: Answer
  readonly valid: Answer
  readonly wrong?: Answer
}

const cellOf = ({ none, bearer = none, valid, wrong = bearer }: Answers): { exchanges: Exchange[] } => ({
  exchanges: [
    exchange('auth.none', 'before-valid', none),
    exchange('auth.bearer-only', 'before-valid', bearer),
    exchange('auth.valid', 'valid', valid),
    exchange('auth.wrong-code', 'guess', wrong),
  ],
})

const denied = `Task ${taskId} not found or access denied`
const unauthorized = overHttp(401, { error: { code: 401, message: 'no' } })
const forbidden = overHttp(403, { error: { code: 403, message: 'no' } })
const unauthenticated = overGrpc(16, 'credentials needed')
const loginPage = overHttp(200, ...html('<p>Please log in</p>'))
const inBand = overHttp(200, rpcError(-32001, 'Unauthorized'))
const crashed = overHttp(500, rpcError(-32001, `Task not found: ${taskId}`))
const missing = overHttp(200, rpcError(-32001, `Task not found: ${taskId}`))

describe('right credentials were let in', () => {
  it.each<[string, Answer, Answer]>([
    ['-32001 that hints at access, after 401', unauthorized, overHttp(200, rpcError(-32001, denied))],
    ['the same after 403', forbidden, overHttp(200, rpcError(-32001, denied))],
    ['the same after -32001 "Unauthorized"', inBand, overHttp(200, rpcError(-32001, denied))],
    ['NOT_FOUND that hints at access', unauthenticated, overGrpc(5, denied)],
    [
      'NOT_FOUND in REST that hints at access',
      unauthorized,
      overHttp(404, { error: { code: 404, status: 'NOT_FOUND', message: denied } }),
    ],
    ['TaskNotFound after -32001 "Unauthorized"', inBand, missing],
    ['TaskNotFound after -32001 in other words', overHttp(200, rpcError(-32001, 'Session expired')), missing],
    ['TaskNotFound after a login page', loginPage, missing],
    ['TaskNotFound after a bare 404', overHttp(404), missing],
    ['TaskNotFound after an HTML 404', overHttp(404, ...html('<h1>no</h1>')), missing],
  ])('by the TaskNotFound of the cell: %s', (_, none, valid) => {
    const cell = cellOf({ none, valid })
    expect([isShown(cell), isTaskNotFound(valid), wasLetIn(none, cell)]).toEqual([true, true, 'no'])
  })

  it.each<[string, Answer, Answer]>([
    ['an unknown method', unauthorized, overHttp(200, rpcError(-32601, 'Method not found'))],
    ['a bare 404', unauthorized, overHttp(404)],
    ['a 404 in JSON', unauthorized, overHttp(404, { detail: 'Not Found' })],
    ["Go's 404", unauthorized, overHttp(404, '404 page not found\n', { 'content-type': 'text/plain' })],
    ['an invalid request', unauthorized, overHttp(422, { detail: [{ msg: 'id is no number' }] })],
    ['an internal error in JSON-RPC', unauthorized, overHttp(200, rpcError(-32603, 'internal'))],
    ['a refusal to look at the task', unauthorized, overHttp(403, { error: { code: 403, message: denied } })],
    ['PERMISSION_DENIED for the task', unauthenticated, overGrpc(7, denied)],
    ['an operation that is not supported', unauthenticated, overGrpc(9, 'not now')],
    ['TaskNotFound in a server error', unauthorized, crashed],
  ])('by another answer than refusals get: %s', (_, none, valid) => {
    const cell = cellOf({ none, valid })
    expect([isShown(cell), isTaskNotFound(valid), wasLetIn(none, cell)]).toEqual([true, false, 'no'])
  })

  it.each<[string, Answers]>([
    ['401', { none: unauthorized, valid: unauthorized }],
    ['403 after 401', { none: unauthorized, valid: forbidden }],
    ['a page after 401', { none: unauthorized, valid: loginPage }],
    ['nothing after 401', { none: unauthorized, valid: overHttp(200) }],
    ['JSON of some other kind', { none: unauthorized, valid: overHttp(200, { status: 'ok' }) }],
    ['an HTML 404 after 401', { none: unauthorized, valid: overHttp(404, ...html('Cannot GET')) }],
    ['another version after 401', { none: unauthorized, valid: overHttp(200, rpcError(-32009, 'no')) }],
    ['UNIMPLEMENTED', { none: unauthenticated, valid: overGrpc(12, 'unknown') }],
    [
      'what the second factor is missing in',
      { none: unauthorized, valid: overHttp(200, rpcError(-32050, 'invalid TOTP')) },
    ],
    ['a 500', { none: unauthorized, valid: overHttp(500, { error: { code: 500 } }) }],
    ['a 502', { none: unauthorized, valid: overHttp(502) }],
    ['a deadline', { none: unauthenticated, valid: overGrpc(4, 'deadline exceeded') }],
    [
      'an unknown method that everyone gets',
      { none: overHttp(200, rpcError(-32601, 'no')), valid: overHttp(200, rpcError(-32601, 'no')) },
    ],
    [
      '-32001 that everyone gets',
      { none: overHttp(200, rpcError(-32001, denied)), valid: overHttp(200, rpcError(-32001, denied)) },
    ],
    ['a bare 404 after a 404', { none: overHttp(404), valid: overHttp(404) }],
    [
      'an error, where nothing but a limiter answers the rest',
      { none: overHttp(429), valid: overHttp(400, rpcError(-32099, 'no')) },
    ],
    ['another refusal in a 200', { none: inBand, valid: overHttp(200, rpcError(-32002, 'Access denied')) }],
  ])('is not shown by %s', (_, answers) => {
    expect(isShown(cellOf(answers))).toBe(false)
  })
})

it('a caller who should be refused was let in by the server error that right credentials get', () => {
  const wrong = overHttp(500, rpcError(-32001, 'Unauthorized'))
  const cell = cellOf({ none: unauthorized, valid: crashed, wrong })
  expect([wasLetIn(crashed, cell), wasLetIn(wrong, cell)]).toEqual(['yes', 'no'])
})

describe('what is the same to a caller', () => {
  const anyAnswer = fc
    .tuple(
      fc.constantFrom(200, 204, 302, 400, 401, 403, 404, 405, 407, 422, 429, 500, 502, 503, 504),
      fc.oneof(
        fc.constantFrom<unknown>(
          '',
          '<html>no</html>',
          'no',
          {},
          { detail: 'no' },
          { message: 'Task not found' },
        ),
        fc
          .tuple(
            fc.constantFrom(-32001, -32601, -32009, -32603, -31401),
            fc.constantFrom('', 'no', denied, 'Unauthorized', 'Task not found', 'invalid TOTP'),
          )
          .map(([code, message]) => rpcError(code, message)),
      ),
      fc.constantFrom('application/json', 'text/html', 'text/plain', 'text/event-stream'),
    )
    .map(([status, body, type]) => overHttp(status, body, { 'content-type': type }))
  const anyOverGrpc = fc
    .tuple(
      fc.integer({ min: 0, max: 16 }),
      fc.constantFrom('', 'no', denied, 'Task not found', 'access denied'),
    )
    .map(([code, message]) => overGrpc(code, message))

  it('is never a refusal to nothing and a success of right credentials', () => {
    fc.assert(
      fc.property(fc.oneof(anyAnswer, anyOverGrpc), fc.oneof(anyAnswer, anyOverGrpc), (answer, bearer) => {
        const cell = cellOf({ none: answer, bearer, valid: answer })
        if (isSuccess(answer, cell)) expect(wasLetIn(answer, cell)).toBe('yes')
      }),
    )
  })

  it('lets a wrong code in where right credentials were let in', () => {
    fc.assert(
      fc.property(anyAnswer, anyAnswer, (none, valid) => {
        const cell = cellOf({ none, valid, wrong: valid })
        if (isShown(cell)) expect(wasLetIn(valid, cell)).toBe('yes')
      }),
    )
  })
})
