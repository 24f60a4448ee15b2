import { describe, expect, it } from 'vitest'
import type { Binding } from '../../../src/core/card/interfaces.js'
import { conflicting, routeFor, type CardRoute } from '../../../src/core/card/routes.js'

const route = (binding: Binding, path: string, upstream = 'https://agent.example/'): CardRoute => ({
  ...{ binding, path, protocolVersion: '1.0' },
  upstream: new URL(upstream),
})

describe('the route for a request', () => {
  const rpc = route('jsonrpc', '/rpc')
  const rest = route('rest', '/rest/')
  const tenant = route('rest', '/rest/acme')
  const all = [rpc, rest, tenant, route('grpc', '/lf.a2a.v1.A2AService')]
  const at = (path: string, isGrpc = false) => routeFor(all, { path, isGrpc })?.path

  it('is, for JSON-RPC, that of its path alone', () => {
    expect(['/rpc', '/rpc/', '/rpc/more', '/rpcs', '/'].map((path) => at(path))).toEqual([
      ...['/rpc', '/rpc', undefined, undefined, undefined],
    ])
  })

  it('is, for HTTP+JSON, also that of a path above, the longest first', () => {
    expect(at('/rest')).toBe('/rest/')
    expect(at('/rest/message:send')).toBe('/rest/')
    expect(at('/rest/acme/message:send')).toBe('/rest/acme')
    expect(at('/rest/acmes')).toBe('/rest/')
    expect(at('/rests')).toBeUndefined()
    expect(routeFor([tenant, rest], { path: '/rest/acme/message:send', isGrpc: false })).toBe(tenant)
  })

  it('is, for gRPC, that of a service, and for nothing else', () => {
    expect(at('/lf.a2a.v1.A2AService/SendMessage', true)).toBe('/lf.a2a.v1.A2AService')
    expect(at('/lf.a2a.v1.A2AService/SendMessage')).toBeUndefined()
    expect(at('/rest/acme', true)).toBeUndefined()
  })

  it('is none where there are none', () => {
    expect(routeFor([], { path: '/rpc', isGrpc: false })).toBeUndefined()
  })
})

describe('a route', () => {
  const other = 'https://other.example/'

  it('conflicts with one of the same path at another origin', () => {
    const known = [route('jsonrpc', '/a'), route('jsonrpc', '/b')]
    expect(conflicting(known, route('rest', '/b/', other))).toBe(known[1])
    expect(conflicting(known, route('rest', '/b/'))).toBeUndefined()
    expect(conflicting(known, route('rest', '/c', other))).toBeUndefined()
  })

  it('conflicts with none over gRPC, if it is not', () => {
    const [grpc, rest] = [route('grpc', '/a'), route('rest', '/a', other)]
    expect(conflicting([grpc], rest)).toBeUndefined()
    expect(conflicting([rest], grpc)).toBeUndefined()
    expect(conflicting([grpc], route('grpc', '/a', other))).toBe(grpc)
  })
})
