import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
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
