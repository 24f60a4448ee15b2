import { describe, expect, it } from 'vitest'
import { destinationOf, grpcTarget } from '../../src/client/grpc-targets.js'
import { codeOf } from '../support/failure.js'

describe('a gRPC target', () => {
  it.each([
    ['dns:agent.example:50051', 'agent.example:50051'],
    ['dns:///agent.example', 'agent.example'],
    ['ipv4:127.0.0.1:1', '127.0.0.1:1'],
    ['ipv6:[::1]:1', '[::1]:1'],
    ['agent.example:443', 'agent.example:443'],
  ])('%s is %s', (text, target) => {
    expect(grpcTarget(text)).toBe(target)
  })

  it.each([
    ...['', 'unix:/tmp/x', 'dns://198.51.100.1/agent.example', 'xds:///agent', 'https://agent.example'],
    ...['ipv4:127.0.0.1:1,198.51.100.1:1', 'a@b:1', 'a#b', 'a b', '::1', 'agent.example:123456'],
  ])('%j is none that can be told for certain', (text) => {
    expect(grpcTarget(text)).toBeUndefined()
  })
})

describe('where a call goes', () => {
  const goes = (...args: Parameters<typeof destinationOf>) => {
    const { dialled, asked } = destinationOf(...args)
    return [dialled.origin, asked.origin]
  }

  it('is the host that is asked for, at the port that is dialled', () => {
    const service = 'https://agent.example/lf.a2a.v1.A2AService'
    expect(goes(service, 'dns:proxy.example:3128', true)).toEqual([
      'https://proxy.example:3128',
      'https://agent.example:3128',
    ])
    expect(goes(service, 'dns:agent.example', true)).toEqual([
      'https://agent.example',
      'https://agent.example',
    ])
    expect(goes(service, 'dns:agent.example', false)[1]).toBe('http://agent.example:443')
  })

  it('may be an IPv6 address, which gRPC spells without brackets', () => {
    expect(goes('https://::1/s', 'ipv6:[::1]:50051', false)[1]).toBe('http://[::1]:50051')
  })

  it.each([
    ['https://agent.example/s', 'unix:/tmp/x'],
    ['https://a@b/s', 'dns:b:1'],
    ['https://agent.example', 'dns:agent.example:1'],
    ['https://agent.example/s', 'dns:agent.example:99999'],
  ])('cannot be told of %s at %s', (service, peer) => {
    expect(codeOf(() => destinationOf(service, peer, true))).toBe('ERR_HOST_FORBIDDEN')
  })
})
