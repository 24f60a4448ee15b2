import { describe, expect, it } from 'vitest'
import {
  endToEnd,
  groupOf,
  linesOf,
  pairsOf,
  trailersOfRequest,
  withoutFields,
} from '../../../src/sidecar/forward/fields.js'

const mixed = ['Accept', 'a', 'X-A', '1', 'accept', 'b', 'X-Ab', '2', 'ACCEPT', '']

describe('a raw list of fields', () => {
  it('has the lines of a field in order, in whatever case its name is', () => {
    expect(linesOf(mixed, 'accept')).toEqual(['a', 'b', ''])
    expect(linesOf(mixed, 'x-a')).toEqual(['1'])
    expect(linesOf(mixed, 'x-b')).toEqual([])
    expect(linesOf([], 'accept')).toEqual([])
  })

  it('is pairs of name and value; a name without a value is none', () => {
    expect([...pairsOf(['A', '1', 'b', '2', 'c'])]).toEqual([
      ['A', '1'],
      ['b', '2'],
    ])
    expect(linesOf(['a', '1', 'a'], 'a')).toEqual(['1'])
    expect(withoutFields(['a', '1', 'b'], () => false)).toEqual(['a', '1'])
  })

  it('stays as it is but for the names that are dropped, which are asked about in lower case', () => {
    const asked: string[] = []
    const kept = withoutFields(mixed, (name) => {
      asked.push(name)
      return name === 'accept'
    })
    expect(kept).toEqual(['X-A', '1', 'X-Ab', '2'])
    expect(asked).toEqual(['accept', 'x-a', 'accept', 'x-ab', 'accept'])
  })

  it('can be grouped by name: one line as it is, several as a list', () => {
    const groups = groupOf([...mixed, '__proto__', 'p'])
    expect(Object.entries(groups)).toEqual([
      ['accept', ['a', 'b', '']],
      ['x-a', '1'],
      ['x-ab', '2'],
      ['__proto__', 'p'],
    ])
  })
})

/** RFC 9110 §7.6.1, and two that are widespread. */
const ofConnections =
  'Connection Keep-Alive Proxy-Authenticate Proxy-Authentication-Info Proxy-Authorization Proxy-Connection TE Trailer ' +
  'Transfer-Encoding Upgrade'

describe('what is passed on', () => {
  it.each(ofConnections.split(' '))('has no %s, which is of one connection', (name) => {
    expect(endToEnd([name, 'x', 'A', '1', name.toLowerCase(), 'y'])).toEqual(['A', '1'])
  })

  it('has no field that Connection names, wherever it stands, and all others as they are', () => {
    const fields = [
      'X-A',
      '1',
      'connection',
      'x-b , X-C',
      'X-B',
      '2',
      'Connection',
      'x-d',
      'X-c',
      '3',
      'x-D',
      '4',
    ]
    expect(endToEnd(fields)).toEqual(['X-A', '1'])
    expect(endToEnd(['X-A', '1', 'x-a', '2', 'X-B', ''])).toEqual(['X-A', '1', 'x-a', '2', 'X-B', ''])
  })

  it('has no pseudo-field of HTTP/2', () => {
    expect(endToEnd([':path', '/', ':x', '1', 'a:', '2'])).toEqual(['a:', '2'])
  })
})

/** Framing, routing, credentials and the form of the content (RFC 9110 §6.5.1). */
const ofHeads =
  'Host Authorization Cookie Expect Range Max-Forwards Cache-Control Pragma If-Match If-None-Match If-Range ' +
  'Content-Type Content-Length Content-Encoding Content-Range Connection TE'

describe('the trailers of a request', () => {
  it.each(ofHeads.split(' '))('have no %s, which has to be in the head', (name) => {
    expect(trailersOfRequest([name, 'x', 'grpc-status', '0'])).toEqual(['grpc-status', '0'])
  })

  it.each(['Content-Digest', 'X-Host', 'Hostname', 'Ranges', 'X-If-Match', 'Expects', 'Content-Types'])(
    'have %s',
    (name) => {
      expect(trailersOfRequest([name, 'x'])).toEqual([name, 'x'])
    },
  )
})
