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
    const every = [
      '0.0.0.0',
      '[::]',
      '0',
      '00.00',
      '[0:0::0]',
      '[::ffff:0.0.0.0]',
      '[::FFFF:0:0]',
      '0x0',
      '0x00',
    ]
    for (const host of every) expect(isOwnHost(`${host}:4200`, { port: 4200, host }), host).toBe(false)
    for (const host of ['10.0', 'a0.0.0.0', '0.0.0.0.example', '[fd00::]', '0x0f', '[::ffff:0.0.0.9]'])
      expect(isOwnHost(`${host}:4200`, { port: 4200, host }), host).toBe(true)
  })

  it('is localhost, or a loopback name, on a socket in the file system', () => {
    expect(isOwnHost('localhost', { port: undefined, host: undefined })).toBe(true)
    expect(isOwnHost('127.0.0.1:9', { port: undefined, host: undefined })).toBe(true)
    for (const host of ['evil.example', '', 'localhosts'])
      expect(isOwnHost(host, { port: undefined, host: undefined })).toBe(false)
  })
})

describe('a sign of a browser', () => {
  it.each([
    ['GET', ['Origin', 'null'], 'requests with Origin are'],
    ['GET', ['origin', ''], 'requests with Origin are'],
    ['POST', ['Sec-Fetch-Site', 'same-origin'], 'requests with Sec-Fetch-Site are'],
    ['GET', ['sec-fetch-site', 'none'], 'requests with Sec-Fetch-Site are'],
    ['GET', ['Connection', 'Upgrade', 'Upgrade', 'websocket'], 'no Upgrade is accepted'],
    ['POST', ['upgrade', 'h2c'], 'no Upgrade is accepted'],
    ['OPTIONS', [], 'OPTIONS is not passed on'],
    ['TRACE', [], 'TRACE is not passed on'],
    ['CONNECT', [], 'CONNECT is not passed on'],
    ['options', [], 'OPTIONS is not passed on'],
  ])('is found in %s with %j, and named', (method, fields, why) => {
    expect(browserSign({ method, fields })).toContain(why)
  })

  it("is not what Node's fetch sends", () => {
    const fields = ['sec-fetch-mode', 'cors', 'accept-language', '*', 'user-agent', 'node']
    expect(browserSign({ method: 'POST', fields })).toBeUndefined()
  })
})
