import { describe, expect, it } from 'vitest'
import { isSamePlace, otherAgentAt } from '../../../src/core/card/others.js'

describe('whose a URL is', () => {
  const others = [
    { name: 'root', url: 'http://localhost:9000' },
    { name: 'search', url: 'http://127.0.0.1:9000/search/' },
    { name: 'mail', url: 'https://mail.example' },
  ]
  const at = (url: string, binding?: 'grpc', own = 'http://127.0.0.1:9000/billing') =>
    otherAgentAt({ url: new URL(url), ...(binding && { binding }) }, new URL(own), others)?.name

  it('is that of the agent whose path it is under the longest way', () => {
    expect(at('http://127.0.0.1:9000/billing/a2a')).toBeUndefined()
    expect(at('http://[::1]:9000/search/a2a')).toBe('search')
    expect(at('http://127.0.0.1:9000/searching')).toBe('root')
    expect(at('https://mail.example:443/a2a')).toBe('mail')
    expect(at('http://127.0.0.1:9001/search')).toBeUndefined()
  })

  it.each([
    ['https://mail.example.', undefined, 'mail'],
    ['https://mail.example./a2a', undefined, 'mail'],
    ['http://[::ffff:127.0.0.1]:9000/search', undefined, 'search'],
    ['http://[::ffff:7f00:1]:9000/search', undefined, 'search'],
    ['http://localhost.:9000/search', undefined, 'search'],
    ['https://mail.example.', 'grpc', 'mail'],
    ['http://[::ffff:127.0.0.1]:9000', 'grpc', 'root'],
    // Not certainly this agent's own.
    ['http://[::ffff:127.0.0.1]:9000/billing', undefined, 'root'],
    ['http://127.0.0.2:9000/search', undefined, undefined],
    ['https://mail.example..', undefined, undefined],
    ['https://example', undefined, undefined],
  ] as const)(
    'is, for %s over %s, also that of an agent whose host is spelled otherwise',
    (url, over, name) => {
      expect(at(url, over)).toBe(name)
    },
  )

  it('is that of an agent with a dot in its own URL, and not that of another one', () => {
    const own = 'https://mail.example./'
    expect(at('https://mail.example./a2a', undefined, own)).toBeUndefined()
    expect(at('https://mail.example/a2a', undefined, own)).toBe('mail')
  })

  it('is told without the place of a card, which the URL of an agent may be', () => {
    const cards = [
      { name: 'search', url: 'http://127.0.0.1:9000/search/.well-known/agent-card.json' },
      { name: 'mail', url: 'http://127.0.0.1:9000/mail/.well-known/agent.json' },
      { name: 'odd', url: 'http://127.0.0.1:9000/odd/.well-known/agent.json/more//' },
    ]
    const whose = (path: string) =>
      otherAgentAt(
        { url: new URL(path, 'http://127.0.0.1:9000') },
        new URL('http://127.0.0.1:9000/billing/.well-known/agent-card.json'),
        cards,
      )?.name
    expect(whose('/search/a2a')).toBe('search')
    expect(whose('/mail')).toBe('mail')
    expect(whose('/odd/a2a')).toBeUndefined()
    expect(whose('/odd/.well-known/agent.json/more/a2a')).toBe('odd')
    expect(whose('/billing/a2a')).toBeUndefined()
    expect(whose('/other')).toBeUndefined()
  })

  it('is that of this agent, or else of the first, where several are as close', () => {
    const url = 'http://127.0.0.1:9000/a'
    const [first, second] = [
      { name: 'first', url },
      { name: 'second', url: `${url}/` },
    ]
    const whose = (own: string) =>
      otherAgentAt({ url: new URL(`${url}/rpc`) }, new URL(own), [first, second])?.name
    expect(whose(`${url}//`)).toBeUndefined()
    expect(whose('http://127.0.0.1:9000/b')).toBe('first')
    expect(whose('http://127.0.0.1:9000/')).toBe('first')
  })

  it('is, for gRPC, that of whoever has the port, this agent first', () => {
    expect(at('http://127.0.0.1:9000', 'grpc')).toBeUndefined()
    expect(at('https://mail.example', 'grpc')).toBe('mail')
  })
})

describe('two agents', () => {
  const url = 'http://127.0.0.1:9000/a?tenant=1'

  it.each([
    'http://localhost:9000/a?tenant=1',
    'http://[::ffff:127.0.0.1]:9000/a/?tenant=1',
    'http://127.0.0.1:9000/a/.well-known/agent-card.json?tenant=1',
    'http://me@127.0.0.1:9000/a?tenant=1#part',
  ])('get the same requests, if one has the URL %s', (other) => {
    expect(isSamePlace(new URL(url), new URL(other))).toBe(true)
    expect(isSamePlace(new URL(other), new URL(url))).toBe(true)
  })

  it.each([
    'https://127.0.0.1:9000/a?tenant=1',
    'http://127.0.0.1:9001/a?tenant=1',
    'http://127.0.0.2:9000/a?tenant=1',
    'http://127.0.0.1:9000/b?tenant=1',
    'http://127.0.0.1:9000/?tenant=1',
    'http://127.0.0.1:9000/a?tenant=2',
    'http://127.0.0.1:9000/a',
  ])('get others, if one has the URL %s', (other) => {
    expect(isSamePlace(new URL(url), new URL(other))).toBe(false)
    expect(isSamePlace(new URL(other), new URL(url))).toBe(false)
  })
})
