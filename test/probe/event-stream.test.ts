import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventsOf, holdsEvent } from '../../src/probe/wire/event-stream.js'
import { overHttp, rpcError } from '../support/answers.js'

const refusal = rpcError(-32001, 'Unauthorized')
const stream = { 'content-type': 'text/event-stream; charset=utf-8' }

describe('an event stream', () => {
  // The examples of WHATWG HTML §9.2.6.
  it.each([
    ['data: YHOO\ndata: +2\ndata: 10\n\n', [['message', 'YHOO\n+2\n10']]],
    [
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n',
      [
        ['message', 'first event'],
        ['message', 'second event'],
      ],
    ],
    ['data\n\ndata\ndata\n\ndata:', []],
    [
      'data:test\n\ndata: test\n\n',
      [
        ['message', 'test'],
        ['message', 'test'],
      ],
    ],
    ['\uFEFFdata: a\n\n', [['message', 'a']]],
    ['event: error\r\nid: 7\r\nretry: 10\r\ndata: a\r\ndata: b\r\n\r\n', [['error', 'a\nb']]],
    [
      'data: a\r\rdata: b\r\r',
      [
        ['message', 'a'],
        ['message', 'b'],
      ],
    ],
    ['event: error\n\ndata: a\n\n', [['message', 'a']]],
    ['event: ping\ndata: {}\n\nevent: error\ndata: a\n\n', [['error', 'a']]],
    ['data:  two blanks\n\n', [['message', ' two blanks']]],
    ['data: cut off', [['message', 'cut off']]],
    ['databases: a\n\n', []],
    ['', []],
  ])('of %j holds %j', (text, events) => {
    expect(eventsOf(text).map(({ name, data }) => [name, data])).toEqual(events)
  })

  it.each([
    ['data: a\n\n', true],
    ['data: a\r\n\r\n', true],
    ['data: a\r\r', true],
    [': welcome\n\ndata:a\n\n', true],
    ['data: a\n', false],
    ['data: a', false],
    [': welcome\n\n', false],
    ['event: ping\ndata: {}\n\n', false],
    ['', false],
  ])('of %j has a whole event: %s', (text, whole) => {
    expect(holdsEvent(text)).toBe(whole)
  })

  it('means the same however its JSON is laid out and its lines end', () => {
    const layout = fc.record({
      indent: fc.constantFrom(0, 2, 4),
      end: fc.constantFrom('\n', '\r\n', '\r'),
      colon: fc.constantFrom('data:', 'data: '),
      before: fc.constantFrom('', ': hello', 'id: 1', 'event: error', 'event: message', 'retry: 1000'),
      bom: fc.constantFrom('', '\uFEFF'),
    })
    fc.assert(
      fc.property(layout, ({ indent, end, colon, before, bom }) => {
        const json = JSON.stringify(refusal, null, indent)
        const lines = [
          ...(before === '' ? [] : [before]),
          ...json.split('\n').map((line) => colon + line),
          '',
          '',
        ]
        const { kind, message, signature } = overHttp(200, bom + lines.join(end), stream)
        expect([kind, message, signature]).toEqual(['other', 'Unauthorized', '200 -32001'])
      }),
    )
  })

  it.each([
    ['a refusal in words', 'event: error\ndata: Unauthorized\n\n', 'other'],
    ['an error of any kind by its name', 'event: error\ndata: boom\n\n', 'other'],
    ['a refusal without the name of an error', 'data: {"error":"unauthorized"}\n\n', 'other'],
    ["FastAPI's refusal", 'data: {"detail":"Not authenticated"}\n\n', 'other'],
    ['a result', 'data: {"jsonrpc":"2.0","id":1,"result":{"kind":"task"}}\n\n', 'answered'],
    ['a result after a comment', ': hello\n\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n', 'answered'],
    ['a stream that is silent', ': hello\n\n', 'answered'],
    ['an event of some other kind', 'data: connected\n\n', 'answered'],
  ])('whose first event is %s is %3$s', (_, text, kind) => {
    expect(overHttp(200, text, stream).kind).toBe(kind)
  })
})
