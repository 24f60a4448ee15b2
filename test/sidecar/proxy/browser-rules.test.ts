import { describe, expect, it } from 'vitest'
import { browserSign, isOwnHost } from '../../../src/sidecar/proxy/browser-rules.js'

const place = { port: 4200, host: '127.0.0.1' }

describe('the Host of a request', () => {
  it.each(['localhost:4200', '127.0.0.1:4200', '127.8.9.10:4200', '[::1]:4200'])('may be %s', (host) => {
    expect(isOwnHost(host, place)).toBe(true)
  })

  it.each([
    ...['localhost', '127.0.0.1', '127.0.0.1:4201', 'localhost:4200:4200', 'localhost:04200', ''],
    ...[
      'evil.example:4200',
      'localhost.:4200',
      'a.localhost:4200',
      'LOCALHOST:4200',
      'localhost.evil.example:4200',
    ],
    ...[
      '0.0.0.0:4200',
      '[::]:4200',
      '0:4200',
      '127.1:4200',
      '2130706433:4200',
      '127.0.0.256:4200',
      '127.0.0.01:4200',
    ],
    ...[
      '[::ffff:127.0.0.1]:4200',
      '10.0.0.5:4200',
      'user@localhost:4200',
      'localhost:4200/',
      ' localhost:4200',
    ],
  ])('may not be %s', (host) => {
    expect(isOwnHost(host, place)).toBe(false)
  })

  it('may be without a port only where that is the one of http', () => {
    expect(isOwnHost('localhost', { port: 80, host: undefined })).toBe(true)
  })

  it('may be the very address that is listened on, but not every address', () => {
    expect(isOwnHost('10.0.0.5:4200', { port: 4200, host: '10.0.0.5' })).toBe(true)
    expect(isOwnHost('[fd00::5]:4200', { port: 4200, host: '[fd00::5]' })).toBe(true)
    for (const host of ['0.0.0.0', '[::]'])
      expect(isOwnHost(`${host}:4200`, { port: 4200, host })).toBe(false)
  })

  it('is localhost, or a loopback name, on a socket in the file system', () => {
    expect(isOwnHost('localhost', { port: undefined, host: undefined })).toBe(true)
    expect(isOwnHost('evil.example', { port: undefined, host: undefined })).toBe(false)
  })
})

describe('a sign of a browser', () => {
  it.each([
    ['GET', ['Origin', 'null']],
    ['GET', ['origin', '']],
    ['POST', ['Sec-Fetch-Site', 'same-origin']],
    ['GET', ['sec-fetch-site', 'none']],
    ['GET', ['Connection', 'Upgrade', 'Upgrade', 'websocket']],
    ['POST', ['upgrade', 'h2c']],
    ['OPTIONS', []],
    ['TRACE', []],
    ['options', []],
  ])('is found in %s with %j', (method, fields) => {
    expect(browserSign({ method, fields })).toBeTypeOf('string')
  })

  it("is not what Node's fetch sends", () => {
    const fields = ['sec-fetch-mode', 'cors', 'accept-language', '*', 'user-agent', 'node']
    expect(browserSign({ method: 'POST', fields })).toBeUndefined()
  })
})
