import { describe, expect, it } from 'vitest'
import { isExposed } from '../../src/core/card/hosts.js'
import { readInterfaces } from '../../src/core/card/interfaces.js'
import { isLoopback, portOf } from '../../src/core/url.js'
import { probe } from '../../src/probe/index.js'
import { cellsOf, unreadOf } from '../../src/probe/target/cells.js'
import { mayReceiveCredentials } from '../../src/probe/target/hosts.js'
import { noTargets, targets } from '../core/card/targets.js'
import { findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const options = probeOptions('https://agent.example', stillClock(midStep))
const target = new URL(options.url)

const grpcAt = (url: string) =>
  readInterfaces({ supportedInterfaces: [{ url, protocolBinding: 'GRPC', protocolVersion: '1.0' }] })

describe('the cell of a gRPC interface', () => {
  it.each(targets)('is read as everywhere: $text', ({ text, host, port, tls, loopback, remark }) => {
    const [cell, ...others] = cellsOf(grpcAt(text), target, options)
    if (!cell || others.length > 0) expect.fail('there should be one cell')
    expect(cell).toMatchObject({ binding: 'grpc', protocol: '1.0' })
    expect([cell.url.hostname, portOf(cell.url), cell.url.protocol]).toEqual([
      host,
      port,
      tls ? 'https:' : 'http:',
    ])
    expect(cell.remarks).toEqual(remark === undefined ? undefined : [remark])
    expect(isLoopback(cell.url)).toBe(loopback)
    expect(isExposed(cell.url)).toBe(!tls && !loopback)
  })

  it.each(noTargets)('is none for $text, which is kept', ({ text, why }) => {
    const interfaces = grpcAt(text)
    expect(cellsOf(interfaces, target, options).filter(({ guessed }) => !guessed)).toEqual([])
    expect(unreadOf(interfaces, options)).toMatchObject([{ why, written: { address: text } }])
  })
})

describe('interfaces that are not understood', () => {
  const interfaces = readInterfaces({
    supportedInterfaces: [
      { url: 'wss://agent.example', protocolBinding: 'WEBSOCKET', protocolVersion: '1.0' },
      { url: 'wss://agent.example', protocolBinding: 'WEBSOCKET', protocolVersion: '1.0' },
      { url: 'https://agent.example/2', protocolBinding: 'HTTP+JSON', protocolVersion: '2.0' },
      { url: '0.0.0.0:1', protocolBinding: 'GRPC', protocolVersion: '0.3' },
    ],
  })
  const unread = (narrowed: Partial<typeof options>) =>
    unreadOf(interfaces, { ...options, ...narrowed }).map(({ written }) => written.transport)

  it('are named once each', () => {
    expect(unread({})).toEqual(['WEBSOCKET', 'HTTP+JSON', 'GRPC'])
  })

  it('are left out where they are outside of the bounds of a run', () => {
    expect(unread({ binding: 'grpc' })).toEqual(['GRPC'])
    expect(unread({ binding: 'jsonrpc' })).toEqual([])
    expect(unread({ protocol: '1.0' })).toEqual(['WEBSOCKET'])
    expect(unread({ binding: 'rest', protocol: '1.0' })).toEqual([])
  })
})

describe('what gets credentials', () => {
  const at = (url: string, binding: 'jsonrpc' | 'grpc' = 'jsonrpc') => ({ binding, url: new URL(url) })
  const may = (url: string, known: string, binding?: 'grpc', allowHosts: string[] = []) =>
    mayReceiveCredentials(at(url, binding), new URL(known), { allowHosts })

  it('is the host of the URL, on any port, and no other', () => {
    expect(may('https://agent.example:8443/rpc', 'https://agent.example')).toBe(true)
    expect(may('https://other.example', 'https://agent.example')).toBe(false)
    expect(may('https://other.example', 'https://agent.example', undefined, ['other.example'])).toBe(true)
  })

  it('is on this machine the port too, but for gRPC', () => {
    const known = 'http://127.0.0.1:8080'
    for (const url of ['http://127.0.0.1:8080/rpc', 'http://localhost:8080', 'http://[::1]:8080']) {
      expect(may(url, known)).toBe(true)
    }
    expect(may('http://127.0.0.1:9090/rpc', known)).toBe(false)
    expect(may('http://127.0.0.1:9090/rpc', known, undefined, ['127.0.0.1:9090'])).toBe(true)
    expect(may('http://localhost:9090', known, 'grpc')).toBe(true)
    expect(may('http://127.0.0.2:8080', known)).toBe(false)
  })

  it('is a host that is allowed by any of its usual names on this machine', () => {
    const known = 'http://127.0.0.1:8080'
    for (const url of ['http://127.0.0.1:9090', 'http://localhost:9090', 'http://[::1]:9090']) {
      expect(may(url, known, undefined, ['localhost:9090'])).toBe(true)
      expect(may(url, known, undefined, ['[::1]'])).toBe(true)
      expect(may(url, known, undefined, ['localhost:9091'])).toBe(false)
    }
    expect(may('https://agent.example/rpc', known, undefined, ['agent.example:443'])).toBe(true)
    expect(may('http://agent.example/rpc', known, undefined, ['agent.example:443'])).toBe(false)
  })

  it.each(['', 'http://h', 'h/path', 'u:p@h', '::1', 'h:99999', '0.0.0.0', '0.0.0.0:80', '[::]:80', '*'])(
    'is no host that is allowed as %j: that is refused before anything is sent',
    async (host) => {
      const refused = probe({ ...options, url: 'http://127.0.0.1:1', allowHosts: [host] })
      await expect(refused).rejects.toMatchObject({ code: 'ERR_USAGE' })
    },
  )

  it('is no name but localhost for this machine', () => {
    expect(may('http://agent.localhost:8080', 'http://localhost:8080')).toBe(false)
    expect(isExposed(new URL('http://agent.localhost:8080'))).toBe(true)
    expect(isExposed(new URL('http://localhost:8080'))).toBe(false)
  })
})

describe('a probe', () => {
  const interfaces = (origin: string) => [
    { url: '/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: `${origin.replace('http://', '')}/open`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    { url: 'wss://me:pw@agent.example', protocolBinding: 'WEBSOCKET', protocolVersion: '1.0' },
    { url: `${origin}/rpc`, protocolBinding: 'json-rpc-2.0', protocolVersion: '1.0' },
    { url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: 'v1.0' },
    { url: 'http://0.0.0.0:8080/rest', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    { url: 'unix:/tmp/agent.sock', protocolBinding: 'GRPC', protocolVersion: '1.0' },
  ]
  const naming = (of: (origin: string) => unknown[]) => ({
    card: (
      { name, securitySchemes, security, securityRequirements }: Record<string, unknown>,
      origin: string,
    ) => ({
      ...{ name, securitySchemes, security, securityRequirements },
      supportedInterfaces: of(origin),
    }),
  })

  it('fails where the card names an interface that it does not understand, and names each', async () => {
    const { report } = await probeAgent(naming(interfaces))
    expect(report.ok).toBe(false)
    const coverage = report.checks.find(({ id }) => id === 'coverage')
    expect(coverage).toMatchObject({ status: 'fail', actual: '6 gaps' })
    for (const text of [
      '/open was not understood: neither an http:// or https:// URL nor a path;',
      'WEBSOCKET 1.0 wss://agent.example was not understood: unknown transport;',
      '/rpc was not understood: unknown transport;',
      '/rpc was not understood: unknown protocol version;',
      'HTTP+JSON 1.0 http://0.0.0.0:8080/rest was not understood: 0.0.0.0 is a listening address',
      'GRPC 1.0 unix:/tmp/agent.sock was not understood: not a gRPC target',
    ]) {
      expect(coverage?.detail).toContain(text)
    }
    expect(coverage?.detail).not.toContain('--allow-host 0.0.0.0')
  })

  it('finds interfaces by addresses that are relative to the card, and remarks on them', async () => {
    const { report } = await probeAgent(naming((origin) => interfaces(origin).slice(0, 1)))
    expect(findings(report)).toEqual({})
    const coverage = report.checks.find(({ id }) => id === 'coverage')
    expect(coverage).toMatchObject({ status: 'pass', actual: 'the one interface' })
    expect(coverage?.detail).toMatch(/^JSON-RPC 1\.0 at 127\.0\.0\.1:\d+\/rpc: relative to the card$/)
  })

  it('sends neither the query of an interface nor anything to another port of this machine', async () => {
    const { report, agent } = await probeAgent(
      naming((origin) => [
        { url: `${origin}/rpc?do=harm`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
        { url: 'http://127.0.0.1:1/rest?do=harm', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
      ]),
    )
    expect(JSON.stringify(agent.requests)).not.toContain('harm')
    expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({
      status: 'fail',
      actual: '1 gap',
      detail: expect.stringMatching(/REST 1\.0 was not tested: .*--allow-host 127\.0\.0\.1:1$/) as string,
    })
  })
})
