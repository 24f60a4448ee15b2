import { describe, expect, it } from 'vitest'
import { wayOf } from '../../src/client/grpc/destination.js'
import { portOf } from '../../src/core/url.js'
import { noTargets, targets } from '../core/card/targets.js'
import { codeOf } from '../support/failure.js'

describe('where a call goes', () => {
  const goes = (...args: Parameters<typeof wayOf>) => {
    const { dialled, asked } = wayOf(...args)
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

  it.each(targets)('is read as everywhere: $text', ({ text, host, port }) => {
    for (const secure of [true, false]) {
      const { dialled } = wayOf('https://agent.example/s', text, secure)
      expect([dialled.hostname, portOf(dialled), dialled.protocol === 'https:']).toEqual([host, port, secure])
    }
  })

  // A caller may dial an address to listen on, and a port of 0 fails by itself.
  const uncertain = noTargets.filter(({ why }) => !/listening|port 0/.test(why))
  it.each(uncertain)('cannot be told of $text', ({ text }) => {
    expect(codeOf(() => wayOf('https://agent.example/s', text, true))).toBe('ERR_HOST_FORBIDDEN')
  })

  it.each(['https://a@b/s', 'https://agent.example', 'http://agent.example/s', ''])(
    'cannot be told of the service %j',
    (service) => {
      expect(codeOf(() => wayOf(service, 'dns:b:1', true))).toBe('ERR_HOST_FORBIDDEN')
    },
  )
})
