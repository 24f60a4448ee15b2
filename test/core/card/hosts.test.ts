import { describe, expect, it } from 'vitest'
import {
  isExposed,
  isOursToCall,
  isSameName,
  mayBeSameName,
  requireHosts,
} from '../../../src/core/card/hosts.js'
import type { Binding } from '../../../src/core/card/interfaces.js'
import { failureOf } from '../../support/failure.js'

const isOurs = (
  url: string,
  known: readonly string[],
  allowHosts?: readonly string[],
  binding: Binding = 'rest',
) =>
  isOursToCall(
    { binding, url: new URL(url) },
    { known: known.map((one) => new URL(one)), ...(allowHosts && { allowHosts }) },
  )

describe('token and code may go', () => {
  it.each([
    ['https://agent.example/rpc', true],
    ['http://agent.example:8080/other', true],
    ['https://second.example:1/', true],
    ['https://other.example/', false],
    ['https://sub.agent.example/', false],
    ['https://agent.example.other.example/', false],
  ])('to the hosts that the user names, at any port: %s, %s', (url, ours) => {
    expect(isOurs(url, ['https://agent.example/', 'https://second.example/'])).toBe(ours)
  })

  it('to nobody where the user names nobody', () => {
    expect(isOurs('https://agent.example/', [])).toBe(false)
  })

  it.each(['127.0.0.1', 'localhost', '[::1]'])('on this machine to one port alone: %s', (host) => {
    for (const known of ['http://127.0.0.1:9000/', 'http://localhost:9000/', 'http://[::1]:9000/']) {
      expect(isOurs(`http://${host}:9000/rpc`, [known])).toBe(true)
      expect(isOurs(`http://${host}:9001/rpc`, [known])).toBe(false)
      // The path of a gRPC call is fixed, so another server has no use for it.
      expect(isOurs(`http://${host}:9001/`, [known], [], 'grpc')).toBe(true)
    }
  })

  it.each([
    ['agent.example', 'https://agent.example/', true],
    ['agent.example', 'https://agent.example:8443/', true],
    ['agent.example', 'https://other.example/', false],
    ['agent.example:8443', 'https://agent.example:8443/', true],
    ['agent.example:8443', 'https://agent.example:9000/', false],
    ['agent.example:8443', 'https://other.example:8443/', false],
    ['agent.example:443', 'https://agent.example/', true],
    ['agent.example:80', 'https://agent.example/', false],
    ['[2001:db8::1]', 'https://[2001:db8::1]:8443/', true],
    ['[2001:db8::1]:8443', 'https://[2001:db8::1]/', false],
    ['localhost', 'http://127.0.0.1:9000/', true],
    ['localhost:9000', 'http://[::1]:9001/', false],
    ['not a host', 'https://agent.example/', false],
  ])('where %s is allowed, to %s: %s', (allowed, url, ours) => {
    expect(isOurs(url, ['https://elsewhere.example/'], [allowed])).toBe(ours)
    expect(isOurs(url, [], ['second.example', allowed])).toBe(ours)
  })
})

describe('a host that is allowed by name', () => {
  it.each(['agent.example', 'agent.example:8443', '127.0.0.1', '[::1]:9000', 'localhost'])(
    'may be %s',
    (text) => {
      expect(() => requireHosts([text])).not.toThrow()
    },
  )

  it.each([
    'https://agent.example',
    'agent.example/rpc',
    'me@agent.example',
    'a?b',
    'a#b',
    'a\\b',
    '',
    '::1',
    'a:x',
  ])('is not %j', (text) => {
    const { code, message } = failureOf(() => requireHosts(['agent.example', text]))
    expect(code).toBe('ERR_USAGE')
    expect(message).toContain('expected HOST or HOST:PORT')
  })

  it.each(['0.0.0.0', '[::]:9000', '*'])('is not %s, which no client can call', (text) => {
    const { code, message } = failureOf(() => requireHosts([text]))
    expect(code).toBe('ERR_USAGE')
    expect(message).toContain(`${text.replace(':9000', '')} is a listening address`)
  })
})

describe('what is sent to a URL', () => {
  it.each([
    ['https://agent.example/', false],
    ['http://agent.example/', true],
    ['http://127.0.0.1/', false],
    ['https://127.0.0.1/', false],
  ])('can be read on the way: %s, %s', (url, exposed) => {
    expect(isExposed(new URL(url))).toBe(exposed)
  })
})

describe('two URLs', () => {
  const asked = (is: typeof isSameName, one: string, other: string) =>
    [is(new URL(one), new URL(other)), is(new URL(other), new URL(one))] as const

  it.each([
    ['https://agent.example/a', 'http://agent.example:1/b', true],
    ['http://localhost/', 'http://127.0.0.1/', true],
    ['http://[::1]/', 'http://localhost/', true],
    ['http://localhost/', 'http://agent.example/', false],
    ['http://127.0.0.2/', 'http://127.0.0.1/', false],
  ])('name one host: %s, %s, %s', (one, other, same) => {
    expect(asked(isSameName, one, other)).toEqual([same, same])
    expect(asked(mayBeSameName, one, other)).toEqual([same, same])
  })

  it.each([
    ['http://agent.example./', 'http://agent.example/', true],
    ['http://localhost./', 'http://[::1]/', true],
    ['http://[::ffff:10.20.30.40]/', 'http://10.20.30.40/', true],
    ['http://[::ffff:0.1.0.2]/', 'http://0.1.0.2/', true],
    ['http://[::ffff:127.0.0.1]/', 'http://localhost/', true],
    ['http://[::ffff:10.20.30.40]/', 'http://10.20.30.41/', false],
    ['http://[64:ff9b::a14:1e28]/', 'http://10.20.30.40/', false],
    ['http://agent.example../', 'http://agent.example/', false],
    ['http://agentexample/', 'http://agent.example/', false],
  ])('may lead to one host, though they do not name one: %s, %s, %s', (one, other, may) => {
    expect(asked(isSameName, one, other)).toEqual([false, false])
    expect(asked(mayBeSameName, one, other)).toEqual([may, may])
  })
})
