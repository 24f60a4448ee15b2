import { describe, expect, it } from 'vitest'
import { ask, credentialsOf, gateTo } from '../../support/gate.js'
import { rawAgent, type RawRequest } from '../../support/raw-agent.js'
import { answerTo } from '../../support/raw-socket.js'

const lines = (): string[] => Object.entries(credentialsOf()).map(([name, value]) => `${name}: ${value}`)
const namesIn = (fields: RawRequest['fields']): string[] => fields.map(([name]) => name.toLowerCase())
const valuesOf = (fields: RawRequest['fields'], name: string): string[] =>
  fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value)

describe('what an agent reads of a connection of HTTP/1.1', () => {
  it('is each request that was let in, and nothing of those between', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\nTotpPeer: admin\r\n\r\n'
    const length = `Content-Length: ${hidden.length}`
    const size = hidden.length.toString(16)
    const heard = await answerTo(
      gate.port,
      ...['POST /one HTTP/1.1', 'Host: a', ...lines(), length, '', hidden],
      ...['POST /refused HTTP/1.1', 'Host: a', length, '', hidden],
      ...['POST /two HTTP/1.1', 'Host: a', ...lines(), 'Transfer-Encoding: chunked', ''],
      ...[`${size};a="\nGET /b HTTP/1.1"`.replace('\n', ' '), hidden, '0', '', ''],
      ...['POST /refused HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', size, hidden, '0', '', ''],
      ...['GET /three HTTP/1.1', 'Host: a', ...lines(), length, '', hidden],
      ...['POST /last HTTP/1.1', 'Host: a', ...lines(), 'Content-Length: 0', 'Connection: close', '', ''],
    )
    expect(heard.match(/HTTP\/1\.1 \d{3}/g)?.map((line) => Number(line.slice(-3)))).toEqual([
      ...[200, 401, 200, 401, 200, 200],
    ])
    expect(agent.requests.map(({ line, body }) => [line, body])).toEqual([
      ['POST /one HTTP/1.1', hidden],
      ['POST /two HTTP/1.1', hidden],
      ['GET /three HTTP/1.1', hidden],
      ['POST /last HTTP/1.1', ''],
    ])
    for (const { fields } of agent.requests) expect(valuesOf(fields, 'totppeer')).toEqual(['alice'])
  })

  it.each([
    ['a length beside chunked', ['Content-Length: 3', 'Transfer-Encoding: chunked']],
    ['chunked beside a length', ['Transfer-Encoding: chunked', 'Content-Length: 3']],
    ['two lengths', ['Content-Length: 3', 'Content-Length: 60']],
    ['a list of lengths', ['Content-Length: 3, 60']],
    ['a length with a sign', ['Content-Length: +3']],
    ['a length with a blank in it', ['Content-Length: 3 0']],
    ['another coding', ['Transfer-Encoding: gzip, chunked']],
    ['a coding with a tab', ['Transfer-Encoding: \tchunked, identity']],
    ['a coding with a vertical tab', ['Transfer-Encoding: \x0bchunked']],
    ['a blank before the colon', ['Transfer-Encoding : chunked']],
    ['a folded coding', ['Transfer-Encoding:', ' chunked']],
    ['a bare CR', ['X-A: b\rTransfer-Encoding: chunked']],
    ['a bare LF', ['X-A: b\nTransfer-Encoding: chunked']],
    ['a null', ['X-A: b\0c']],
    ['a line that is no field', ['TotpPeer']],
    ['a name with a blank', ['Totp Peer: admin']],
    ['a second Host', ['Host: b']],
  ])('is nothing of a request with %s, though it has both factors', async (_, more) => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const heard = await answerTo(
      gate.port,
      ...['POST /t HTTP/1.1', 'Host: a', ...lines(), ...more, '', '0', '', 'GET /hidden HTTP/1.1'],
      ...['Host: a', ...lines(), '', ''],
    )
    expect(heard).toMatch(/^HTTP\/1\.1 400 /)
    expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(agent.connections.join('')).toBe('')
  })

  it('is decided first, whatever it expects', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const expects = ['Host: a', 'Expect: tea', 'Content-Length: 0']
    const heard = await answerTo(
      gate.port,
      ...['POST /refused HTTP/1.1', ...expects, '', ''],
      ...['POST /last HTTP/1.1', ...expects, ...lines(), 'Connection: close', '', ''],
    )
    expect(heard.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
    expect(gate.calls.map(({ path, status }) => [path, status])).toEqual([
      ['/refused', '401'],
      ['/last', '200'],
    ])
    expect(agent.requests.map(({ line, fields }) => [line, valuesOf(fields, 'expect')])).toEqual([
      ['POST /last HTTP/1.1', []],
    ])
  })

  it('has no trailers that belong into a head, and none of identity, credentials and origin', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    const trailers = [
      ...[
        'TotpPeer: admin',
        'totp_peer: admin',
        'TotpAssertion: e.y.J',
        'X-TOTP: 1',
        'Authorization: Bearer x',
      ],
      ...[
        'Host: b',
        'Content-Type: text/html',
        'Cookie: a=b',
        'X-Forwarded-For: 10.0.0.1',
        'X-HTTP-Method: PUT',
      ],
      ...['Connection: X-Hop', 'X-Hop: 1', 'Proxy: http://b', 'Expect: 100-continue', 'X-End: yes'],
    ]
    await answerTo(
      gate.port,
      ...['POST /t HTTP/1.1', 'Host: a', ...lines(), 'Transfer-Encoding: chunked', 'Trailer: TotpPeer'],
      ...['Connection: close', '', '3', 'abc', '0', ...trailers, '', ''],
    )
    const [request] = agent.requests
    expect(request?.trailers).toEqual([['X-End', 'yes']])
    expect(namesIn(request?.fields ?? [])).not.toContain('trailer')
  })

  it.each(['Content-Length: 60', 'Transfer-Encoding: gzip'])(
    'never ends where the trailers have %s',
    async (trailer) => {
      const agent = await rawAgent()
      const gate = await gateTo(agent.url)
      const heard = await answerTo(
        gate.port,
        ...['POST /t HTTP/1.1', 'Host: a', ...lines(), 'Transfer-Encoding: chunked', '', '3', 'abc', '0'],
        ...[trailer, '', ''],
      )
      expect(heard).not.toMatch(/^HTTP\/1\.1 200/)
      expect(agent.requests).toEqual([])
    },
  )

  it('has no field by which a program that is run by CGI takes another proxy', async () => {
    const agent = await rawAgent()
    const gate = await gateTo(agent.url)
    await ask(gate, { headers: { ...credentialsOf(), Proxy: 'http://b' } })
    expect(namesIn(agent.requests[0]?.fields ?? [])).not.toContain('proxy')
  })
})
