import { describe, expect, it } from 'vitest'
import { readInterfaces, type CardInterface } from '../../../src/core/card/interfaces.js'
import type { CardJson } from '../../../src/core/card/shapes.js'

const cardUrl = new URL('https://agent.example/base/.well-known/agent-card.json')

/** What an interface is called by, or why it is not. */
function told(found: CardInterface): string {
  if (!found.understood) return `? ${found.why}`
  const { binding, protocolVersion, url, tenant, remarks } = found
  return [binding, protocolVersion, url.href, ...(tenant ? [tenant] : []), ...remarks].join(' | ')
}

const read = (card: CardJson, from: URL | undefined = cardUrl) => readInterfaces(card, from).map(told)

const newer = (...entries: readonly unknown[]) => read({ supportedInterfaces: entries })
const at = (url: unknown, protocolBinding: unknown = 'JSONRPC', protocolVersion: unknown = '1.0') => ({
  url,
  protocolBinding,
  protocolVersion,
})

describe('the interfaces of a card', () => {
  it('are the list of 1.0', () => {
    const entries = [
      at('https://agent.example/rpc'),
      at('https://agent.example/rest', 'HTTP+JSON', '0.3'),
      { ...at('agent.example:50051', 'GRPC'), tenant: 'acme' },
    ]
    expect(newer(...entries)).toEqual([
      'jsonrpc | 1.0 | https://agent.example/rpc',
      'rest | 0.3 | https://agent.example/rest',
      'grpc | 1.0 | https://agent.example:50051/ | acme',
    ])
  })

  it('are the main URL and the additions of 0.3', () => {
    const additionalInterfaces = [
      { url: 'https://agent.example/rest', transport: 'HTTP+JSON' },
      { url: 'ipv4:10.0.0.1:50051', transport: 'GRPC' },
    ]
    const additions = ['rest | 0.3 | https://agent.example/rest', 'grpc | 0.3 | https://10.0.0.1:50051/']
    const url = 'https://agent.example/rpc'
    expect(
      read({ protocolVersion: '0.3.0', url, preferredTransport: 'JSONRPC', additionalInterfaces }),
    ).toEqual(['jsonrpc | 0.3 | https://agent.example/rpc', ...additions])
    expect(read({ url: 'agent.example:1', preferredTransport: 'GRPC' })).toEqual([
      'grpc | 0.3 | https://agent.example:1/',
    ])
    expect(read({ url })).toEqual(['jsonrpc | 0.3 | https://agent.example/rpc'])
    expect(read({ additionalInterfaces })).toEqual(additions)
  })

  it('are both in a hybrid', () => {
    const url = 'https://agent.example/rpc'
    for (const protocolVersion of ['0.3.0', '1.0', undefined]) {
      expect(
        read({ protocolVersion, url, supportedInterfaces: [at(url)], additionalInterfaces: [] }),
      ).toEqual(['jsonrpc | 1.0 | https://agent.example/rpc', 'jsonrpc | 0.3 | https://agent.example/rpc'])
    }
  })

  it('are none where the card names none', () => {
    for (const card of [{}, { supportedInterfaces: [] }, { url: '', additionalInterfaces: null }]) {
      expect(read(card)).toEqual([])
    }
  })
})

describe('an address', () => {
  it.each([
    ['/open', 'https://agent.example/open'],
    ['open', 'https://agent.example/base/.well-known/open'],
    ['../a2a', 'https://agent.example/base/a2a'],
    ['//other.example/a2a', 'https://other.example/a2a'],
    ['/v1/message:send', 'https://agent.example/v1/message:send'],
    ['/to/https://other.example', 'https://agent.example/to/https://other.example'],
  ])('that is relative, %s, is resolved against the URL of the card', (url, resolved) => {
    expect(newer(at(url))).toEqual([`jsonrpc | 1.0 | ${resolved} | relative to the card`])
    expect(read({ url })).toEqual([`jsonrpc | 0.3 | ${resolved} | relative to the card`])
  })

  it('that is relative leads nowhere where nobody knows the URL of the card', () => {
    expect(readInterfaces({ url: '/open' }).map(told)).toEqual([
      '? relative, and the URL of the card is unknown',
    ])
  })

  it('loses what is never sent, with a remark on each', () => {
    expect(newer(at('https://me:pw@agent.example/rpc?a=1#b'))).toEqual([
      'jsonrpc | 1.0 | https://agent.example/rpc | user name and password not sent | query not sent | fragment dropped',
    ])
    expect(newer(at('/rpc?a'))).toEqual([
      'jsonrpc | 1.0 | https://agent.example/rpc | relative to the card | query not sent',
    ])
  })

  it('may have whitespace around it', () => {
    expect(newer(at(' https://agent.example/rpc\n'))).toEqual(['jsonrpc | 1.0 | https://agent.example/rpc'])
  })

  it.each(['127.0.0.1:8080/open', 'localhost:8080/open', 'ws://agent.example', 'unix:/tmp/x', 'mailto:a@b'])(
    'like %s is not understood over HTTP',
    (url) => {
      expect(newer(at(url))).toEqual(['? neither an http:// or https:// URL nor a path'])
    },
  )

  it.each([
    ['https://a b/', 'not a URL'],
    ['http://', 'not a URL'],
    ['http://0.0.0.0:8080/rpc', '0.0.0.0 is a listening address, which cannot be called'],
    ['http://[::]:8080/rpc', '[::] is a listening address, which cannot be called'],
    ['http://0/', '0.0.0.0 is a listening address, which cannot be called'],
    ['http://0x0.0:8080/', '0.0.0.0 is a listening address, which cannot be called'],
    ['http://[::ffff:0.0.0.0]:1/', '[::ffff:0:0] is a listening address, which cannot be called'],
    ['http://*:8080/rpc', '* is a listening address, which cannot be called'],
    ['http://+:8080/rpc', '+ is a listening address, which cannot be called'],
    ['http://agent.example:0/', 'port 0 cannot be called'],
    ['', 'no address'],
    [undefined, 'no address'],
    [7, 'its address is not a string'],
    [['https://agent.example/rpc'], 'its address is not a string'],
  ])('like %j is not understood: %s', (url, why) => {
    expect(newer(at(url))).toEqual([`? ${why}`])
  })
})

describe('what is not understood', () => {
  it.each(['WEBSOCKET', 'json-rpc-2.0', 'MQTT', '', 'constructor', undefined, 7])(
    'is the transport %j',
    (name) => {
      const entry = { ...at('https://agent.example/x'), protocolBinding: name }
      expect(newer(entry)).toEqual(['? unknown transport'])
    },
  )

  it.each([
    ['JSONRPC', 'jsonrpc'],
    ['jsonrpc', 'jsonrpc'],
    ['JSON-RPC', 'jsonrpc'],
    ['HTTP+JSON', 'rest'],
    ['rest', 'rest'],
    ['GRPC', 'grpc'],
    ['grpc', 'grpc'],
  ])('is not the transport %s', (name, binding) => {
    expect(newer(at('https://agent.example/', name))).toEqual([`${binding} | 1.0 | https://agent.example/`])
  })

  it.each([
    ['https://agent.example/ws', 'https://agent.example/ws'],
    ['grpcs://agent.example/ws', 'https://agent.example/'],
    ['agent.example:50051', 'https://agent.example:50051/'],
    ['/ws', undefined],
  ])('is a transport that is unknown, of which the address still may be: %s', (url, expected) => {
    const [found] = readInterfaces({ supportedInterfaces: [at(url, 'WEBSOCKET')] }, cardUrl)
    expect(found?.understood).toBe(false)
    expect(found?.url?.href).toBe(expected)
  })

  it.each(['2.0', 'v1.0', '10', '1.0; x', '0', 'latest', 1, {}])('is the protocol version %j', (version) => {
    expect(newer(at('https://agent.example/x', 'JSONRPC', version))).toEqual(['? unknown protocol version'])
    expect(read({ url: 'https://agent.example/x', protocolVersion: version })).toEqual([
      '? unknown protocol version',
    ])
  })

  it.each([
    ['1.0', '1.0'],
    ['1', '1.0'],
    ['1.0.1', '1.0'],
    ['1.1', '1.0'],
    ['1.10', '1.0'],
    ['1.0.0-rc.1', '1.0'],
    ['0.3', '0.3'],
    ['0.3.0', '0.3'],
    ['0.2.5', '0.3'],
    [undefined, '1.0'],
    ['', '1.0'],
  ])('is not %j, which is spoken to as %s', (version, spoken) => {
    const entry = { ...at('https://agent.example/x'), protocolVersion: version }
    expect(newer(entry)).toEqual([`jsonrpc | ${spoken} | https://agent.example/x`])
  })

  it('is what is no entry at all', () => {
    expect(newer('https://agent.example', null)).toEqual(
      Array(2).fill('? an entry of supportedInterfaces is not an object'),
    )
    expect(read({ supportedInterfaces: {}, additionalInterfaces: 'x' })).toEqual([
      '? supportedInterfaces is not a list',
      '? additionalInterfaces is not a list',
    ])
    expect(read({ preferredTransport: 'GRPC' })).toEqual(['? no address'])
  })

  it('is written down as empty where there is nothing', () => {
    const [one] = readInterfaces({ supportedInterfaces: [{}] })
    expect(one?.written).toEqual({ address: '', transport: '', version: '1.0' })
  })

  it('stays among the others, with what was understood of it and all of it as written', () => {
    const entries = [
      at('https://agent.example/1'),
      at('wss://agent.example/2', 'WEBSOCKET'),
      at('https://agent.example/3', 'JSONRPC', '2.0'),
      at('0.0.0.0:4', 'GRPC'),
    ]
    expect(readInterfaces({ supportedInterfaces: entries }).slice(1)).toEqual([
      {
        understood: false,
        binding: undefined,
        protocolVersion: '1.0',
        url: undefined,
        why: 'unknown transport',
        written: { address: 'wss://agent.example/2', transport: 'WEBSOCKET', version: '1.0' },
      },
      {
        understood: false,
        binding: 'jsonrpc',
        protocolVersion: undefined,
        url: new URL('https://agent.example/3'),
        why: 'unknown protocol version',
        written: { address: 'https://agent.example/3', transport: 'JSONRPC', version: '2.0' },
      },
      {
        understood: false,
        binding: 'grpc',
        protocolVersion: '1.0',
        url: undefined,
        why: '0.0.0.0 is a listening address, which cannot be called',
        written: { address: '0.0.0.0:4', transport: 'GRPC', version: '1.0' },
      },
    ])
  })
})
