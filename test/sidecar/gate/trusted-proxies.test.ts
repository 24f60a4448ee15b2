import { describe, expect, it } from 'vitest'
import { plainAddress } from '../../../src/sidecar/forward/forwarded-for.js'
import { TrustedProxies } from '../../../src/sidecar/gate/trusted-proxies.js'

const none = (): readonly string[] => []

describe('trusted proxies', () => {
  const trusted = (): TrustedProxies => new TrustedProxies(['10.0.0.0/8', '127.0.0.1', '::1', 'fd00::/8'])

  it.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['[::ffff:10.1.2.3]:80', true],
    ['127.0.0.1', true],
    ['127.0.0.2', false],
    ['11.0.0.1', false],
    ['fd12::1', true],
    ['::1', true],
    ['::2', false],
    [undefined, false],
    ['fe80::1', false],
    ['localhost', false],
    ['', false],
  ])('asked whether %s is one of them, answers %s', (address, answer) => {
    expect(trusted().trusts(address)).toBe(answer)
  })

  it.each([
    { socket: '192.0.2.1', lines: ['203.0.113.9'], source: '192.0.2.1', why: 'the sender is a stranger' },
    { socket: '10.0.0.1', lines: ['203.0.113.9'], source: '203.0.113.9', why: 'its proxy says so' },
    {
      socket: '10.0.0.1',
      lines: ['6.6.6.6, 203.0.113.9, 10.0.0.2'],
      source: '203.0.113.9',
      why: 'what stands before the last stranger was written by it',
    },
    {
      socket: '10.0.0.1',
      lines: ['6.6.6.6', '203.0.113.9'],
      source: '203.0.113.9',
      why: 'lines are in order',
    },
    { socket: '10.0.0.1', lines: ['10.0.0.3, 10.0.0.2'], source: '10.0.0.3', why: 'all are proxies' },
    { socket: '10.0.0.1', lines: [], source: '10.0.0.1', why: 'the proxy itself called' },
    { socket: '10.0.0.1', lines: ['6.6.6.6, unknown'], source: '10.0.0.1', why: 'that is no address' },
    {
      socket: '::ffff:10.0.0.1',
      lines: ['[2001:db8::1]:443'],
      source: '2001:db8::1',
      why: 'ports are no part',
    },
    { socket: undefined, lines: ['203.0.113.9'], source: undefined, why: 'a unix socket has no address' },
  ])('takes $source for the source of a request from $socket ($lines), since $why', (given) => {
    expect(trusted().sourceOf(given.socket, () => given.lines)).toBe(given.source)
  })

  it('believe nobody unless they are told to', () => {
    expect(new TrustedProxies([]).sourceOf('127.0.0.1', () => ['203.0.113.9'])).toBe('127.0.0.1')
  })

  it('take an address that is none for what the socket says', () => {
    expect(trusted().sourceOf('/run/agent.sock', none)).toBe('/run/agent.sock')
  })

  it('look at no field of a stranger', () => {
    const forbidden = (): never => {
      throw new Error('read')
    }
    expect(trusted().sourceOf('192.0.2.1', forbidden)).toBe('192.0.2.1')
    expect(() => trusted().sourceOf('10.0.0.1', forbidden)).toThrow('read')
  })

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'localhost',
    '',
    'fd00::/129',
    '10.0.0.0/-1',
    '10.0.0.0/8x',
    '*',
  ])('cannot be %j', (range) => {
    const make = (): unknown => new TrustedProxies([range])
    expect(make).toThrow('--trust-proxy must be')
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
  })

  it('that are all of the internet trust every address of that version', () => {
    const all = new TrustedProxies(['0.0.0.0/0'])
    expect(new TrustedProxies(['2001:db8::/64', '192.0.2.0/24', '192.0.3.7/32']).trusts('192.0.3.7')).toBe(
      true,
    )
    expect(all.sourceOf('192.0.2.1', () => ['203.0.113.9'])).toBe('203.0.113.9')
    expect(all.sourceOf('2001:db8::1', none)).toBe('2001:db8::1')
  })

  it.each([
    ['192.0.2.1:80', '192.0.2.1'],
    ['[::1]', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['_hidden', undefined],
    ['192.0.2', undefined],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::FFFF:192.0.2.1]:80', '192.0.2.1'],
    ['::ffff:c000:201', '::ffff:c000:201'],
    ['64:ff9b::ffff:192.0.2.1', '64:ff9b::ffff:192.0.2.1'],
    ['"192.0.2.1"', undefined],
  ])('read %j as %s', (text, address) => {
    expect(plainAddress(text)).toBe(address)
  })
})
