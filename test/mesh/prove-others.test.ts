import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { otherAgentAt } from '../../src/core/card/others.js'
import type { Roster } from '../../src/core/roster.js'
import { cardFor } from '../support/agent-card.js'
import { refuse, sendJson } from '../support/broken-agent.js'
import { listening } from '../support/listening.js'
import { freshRoster, proveDrawn } from '../support/mesh-agents.js'

const tokensOf = ({ peers }: Roster): string[] =>
  [...peers.values()].flatMap(({ tokens }) => tokens.flatMap(({ token }) => token.value ?? []))

/** Agents behind one origin that refuse everything, and what each path was sent. */
async function sharedOrigin(cardOf: (origin: string, path: string) => object | undefined) {
  const seen: { readonly path: string; readonly authorization: string }[] = []
  let origin = ''
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request
    seen.push({ path, authorization: headers.authorization ?? '' })
    request.resume()
    const card = cardOf(origin, path)
    if (card) sendJson(response, 200, card)
    else refuse(response, headers.authorization === undefined ? 'no token' : 'wrong')
  })
  const front = await listening(server)
  onTestFinished(() => front[Symbol.asyncDispose]())
  origin = `http://127.0.0.1:${front.port}`
  return { origin, seen }
}

describe('an agent beside others at one origin', () => {
  it('that names the endpoint of another one in its card brings it none of its tokens', async () => {
    const rosters = [freshRoster('billing', ['alice']), freshRoster('search', ['bob'])] as const
    const { origin, seen } = await sharedOrigin((at, path) =>
      path.endsWith('/.well-known/agent-card.json') ? cardFor('1.0', `${at}/search`, 'X-TOTP') : undefined,
    )
    const urls = { billing: `${origin}/billing`, search: `${origin}/search` }
    const { report } = await proveDrawn(rosters, { alice: ['billing'], bob: ['search'] }, { urls })
    const atSearch = seen.filter(({ path }) => path.startsWith('/search'))
    const held = ({ authorization }: { authorization: string }, roster: Roster): boolean =>
      tokensOf(roster).some((token) => authorization.includes(token))
    expect(atSearch.some((one) => held(one, rosters[1]))).toBe(true)
    expect(atSearch.filter((one) => held(one, rosters[0]))).toEqual([])
    const [billing] = report.agents
    const coverage = billing?.report?.checks.find(({ id }) => id === 'coverage')
    expect(coverage?.status).toBe('fail')
    expect(JSON.stringify(billing?.report?.checks)).toContain('which is search, another agent')
  })

  it('that serves no card brings the one at the origin none of its tokens', async () => {
    const rosters = [freshRoster('billing', ['alice']), freshRoster('root', ['bob'])] as const
    const { origin, seen } = await sharedOrigin(() => undefined)
    const urls = { billing: `${origin}/billing`, root: `${origin}/` }
    await proveDrawn(rosters, { alice: ['billing'], bob: ['root'] }, { urls })
    const outside = seen.filter(({ path }) => !path.startsWith('/billing'))
    const [token = ''] = tokensOf(rosters[0])
    expect(outside.length).toBeGreaterThan(0)
    expect(outside.filter(({ authorization }) => authorization.includes(token))).toEqual([])
  })
})

it('sends nothing to two agents at one URL that is spelled in two ways', async () => {
  const rosters = [freshRoster('billing', ['alice']), freshRoster('search', ['bob'])] as const
  const { origin, seen } = await sharedOrigin(() => undefined)
  const urls = { billing: `${origin}/a`, search: `${origin.replace('127.0.0.1', '[::ffff:127.0.0.1]')}/a/` }
  const { report } = await proveDrawn(rosters, { alice: ['billing'], bob: ['search'] }, { urls })
  expect(seen).toEqual([])
  expect(report.agents.map(({ report: one }) => one)).toEqual([null, null])
  expect(JSON.stringify(report)).toContain('has the same URL')
})

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

  it('is, for gRPC, that of whoever has the port, this agent first', () => {
    expect(at('http://127.0.0.1:9000', 'grpc')).toBeUndefined()
    expect(at('https://mail.example', 'grpc')).toBe('mail')
  })
})
