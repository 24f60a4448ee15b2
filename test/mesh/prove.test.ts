import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { withRemoved } from '../../src/core/removed.js'
import type { Roster } from '../../src/core/roster.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import type { ProveProgress } from '../../src/mesh/prove/prove-options.js'
import { textsOf } from '../../src/mesh/report/rules.js'
import { sendJson, startTestAgent, type Quirks, type TestAgent } from '../support/broken-agent.js'
import { gateTo } from '../support/gate.js'
import { makeServerFile } from '../../src/fragments/server-json.js'
import { startBareAgent } from '../support/bare-agent.js'
import { listening } from '../support/listening.js'
import { cellsOf, freshPeer, freshRoster, freshStep, proveDrawn, withPeers } from '../support/mesh-agents.js'
import type { ServerFileDocument } from '../support/server-file.js'

const running: TestAgent[] = []

afterEach(async () => {
  for (const agent of running.splice(0)) await agent.close()
})

/** An agent that records what it is sent. */
async function recording(roster: Roster, quirks: Quirks = {}): Promise<TestAgent> {
  const peers = [...roster.peers.values()].flatMap(({ name, seeds, tokens }) => {
    const [seed] = seeds
    const [token] = tokens
    return seed && token?.token.value !== undefined
      ? [{ name, seed: seed.seed, token: token.token.value }]
      : []
  })
  const agent = await startTestAgent({
    ...{ peers, profile: defaultProfile, now: () => new Date(), grpc: false },
    quirks: { budget: 1000, ...quirks },
  })
  running.push(agent)
  return agent
}

/** The values of a header that an agent was sent. */
const sent = ({ requests }: TestAgent, header: string): string[] =>
  requests.flatMap(({ fields }) =>
    fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === header),
  )

const tokensOf = ({ peers, removed = [] }: Roster): string[] =>
  [...[...peers.values()].flatMap(({ tokens }) => tokens), ...removed.map(({ token }) => token)].flatMap(
    ({ token }) => token.value ?? [],
  )

const checkOf = ({ checks }: Awaited<ReturnType<typeof proveDrawn>>['report'], id: string): unknown =>
  checks.find((one) => one.id === id)

const three = (): readonly [Roster, Roster, Roster] => [
  freshRoster('billing', ['alice', 'bob', 'carol']),
  freshRoster('search', ['alice', 'carol']),
  freshRoster('store', ['bob']),
]
const callers = { alice: ['billing', 'search'], bob: ['billing', 'store'], carol: ['billing', 'search'] }

describe('proving a mesh', () => {
  it('lets declared edges in, and shows that all others are kept out', async () => {
    const { report } = await proveDrawn(three(), callers)
    expect(cellsOf(report)).toEqual({
      'alice billing': 'true pass',
      'alice search': 'true pass',
      'alice store': 'false pass',
      'bob billing': 'true pass',
      'bob search': 'false pass',
      'bob store': 'true pass',
      'carol billing': 'true pass',
      'carol search': 'true pass',
      'carol store': 'false pass',
    })
    expect(report).toMatchObject({ ok: true, reachable: true, narrowed: [], mesh: 'mesh.json' })
    expect(report.agents.map(({ agent, peer, ok }) => [agent, peer, ok])).toEqual([
      ['billing', 'alice', true],
      ['search', 'alice', true],
      ['store', 'bob', true],
    ])
    expect(checkOf(report, 'mesh.coverage')).toMatchObject({ status: 'pass', actual: '3 agents, 6 edges' })
  })

  it('sends no agent the token of another, and counts the wrong codes that each sees', async () => {
    await freshStep()
    const rosters = three()
    const agents = await Promise.all(rosters.map((roster) => recording(roster)))
    const urls = Object.fromEntries(rosters.map(({ agent }, index) => [agent, agents[index]?.url ?? '']))
    const { report } = await proveDrawn(rosters, callers, { urls })
    expect(report.diagnosis).toBeUndefined()
    for (const [index, roster] of rosters.entries()) {
      const agent = agents[index]
      if (!agent) throw new Error('no agent')
      const others = rosters.filter((one) => one !== roster).flatMap(tokensOf)
      const seen = sent(agent, 'authorization').join('\n')
      expect(others.filter((token) => seen.includes(token))).toEqual([])
      expect(tokensOf(roster).filter((token) => !seen.includes(token))).toEqual([])
      const spent = report.matrix.filter((edge) => edge.agent === roster.agent)
      const told = spent.reduce((sum, { guessesSpent }) => sum + guessesSpent, 0)
      expect(agent.guesses.size).toBe(told)
      expect(told).toBe(4 + roster.peers.size - 1)
    }
  })

  it('takes the code of the same peer at another agent first, and spends nothing of the budget there', async () => {
    await freshStep()
    const [billing, search] = three()
    const agents = [await recording(billing), await recording(search)] as const
    const { report } = await proveDrawn(
      [billing, search],
      { ...callers, bob: ['billing'] },
      {
        urls: { billing: agents[0].url, search: agents[1].url },
      },
    )
    const edge = report.matrix.find(({ peer, agent }) => peer === 'carol' && agent === 'billing')
    expect(edge?.detail).toContain('refused with a code of carol at search')
    expect(edge?.guessesSpent).toBe(1)
    expect(agents[1].guesses.size).toBe(4 + 1)
  })

  it('keeps to the policy of each edge: once, accept, require', async () => {
    const billing = freshRoster('billing', [
      freshPeer('alice', { replay: 'once', signed: 'accept' }),
      freshPeer('bob', { signed: 'require' }),
      freshPeer('carol', { replay: 'once', signed: 'off' }),
      freshPeer('dave', { digits: 8 }),
    ])
    const search = freshRoster('search', [
      freshPeer('alice', { signed: 'require' }),
      freshPeer('dave', { digits: 8 }),
    ])
    const all = {
      alice: ['billing', 'search'],
      bob: ['billing'],
      carol: ['billing'],
      dave: ['billing', 'search'],
    }
    const { report } = await proveDrawn([billing, search], all)
    expect(report.diagnosis).toBeUndefined()
    expect(report.ok).toBe(true)
    const dave = report.matrix.find(({ peer, agent }) => peer === 'dave' && agent === 'billing')
    expect(dave?.detail).toContain('a code of dave at search')
  })

  it('shows that codes stay with their edges where no two are of one length', async () => {
    const billing = freshRoster('billing', ['alice', freshPeer('bob', { digits: 8 })])
    const search = freshRoster('search', ['carol'])
    const peers = { alice: ['billing'], bob: ['billing'], carol: ['search'] }
    const right = await proveDrawn([billing, search], peers)
    expect(right.report.ok).toBe(true)
    expect(
      right.report.matrix.find(({ peer, agent }) => peer === 'carol' && agent === 'billing'),
    ).toMatchObject({
      admitted: false,
      detail: 'it has no credentials here, and the agent refuses a code of another edge, bob at billing',
    })

    // It takes any token of its own with any code of its own.
    const agent = await recording(billing, {
      waves: (_, { authorization: [line = '', ...more], codes: [code = '', ...others] }) =>
        more.length + others.length === 0 &&
        tokensOf(billing).includes(line.replace(/^Bearer /i, '')) &&
        [...billing.peers.values()].some(({ seeds: [one], ...profile }) =>
          [-1, 0, 1].some((drift) => {
            const step = timeStepAt(profile, new Date()) + drift
            return one && generateCodeOfStep(one.seed, profile, step) === code
          }),
        ),
    })
    const { report } = await proveDrawn([billing, search], peers, { urls: { billing: agent.url } })
    expect(report.ok).toBe(false)
    expect(cellsOf(report)).toMatchObject({ 'alice billing': 'true fail', 'carol billing': 'null skip' })
  })

  it('names a peer that only a store has, and that was not seen to be refused', async () => {
    const billing = freshRoster('billing', ['alice', 'dave'])
    const [, dave = '?'] = tokensOf(billing)
    const agent = await recording(billing, {
      answers: (response, _, { authorization: [line = ''] }) => {
        if (!line.includes(dave)) return false
        response.setHeader('Retry-After', '3600')
        sendJson(response, 429, { error: { code: 429, message: 'locked' } })
        return true
      },
    })
    const { report } = await proveDrawn([billing], { alice: ['billing'] }, { urls: { billing: agent.url } })
    expect(cellsOf(report)).toEqual({ 'alice billing': 'true pass', 'dave billing': 'null skip' })
    expect(report.ok).toBe(false)
    expect(checkOf(report, 'mesh.coverage')).toMatchObject({
      status: 'fail',
      actual: '1 gap',
      detail: expect.stringContaining('dave at billing: not shown to be refused') as string,
    })
  })

  it('tells how far it is, in agents, pairs and requests', async () => {
    const states: ProveProgress[] = []
    const { report } = await proveDrawn(three(), callers, { progress: (state) => states.push(state) })
    expect(states[0]).toEqual({ agents: { done: 0, of: 3 }, edges: { done: 0, of: 9 }, requests: 0 })
    expect(states.at(-1)).toEqual({
      agents: { done: 3, of: 3 },
      edges: { done: 9, of: 9 },
      requests: report.requests,
    })
    const requests = states.map((state) => state.requests)
    expect(requests).toEqual([...requests].sort((one, other) => one - other))
  })

  it('is narrowed to agents and edges, and says so', async () => {
    const { report } = await proveDrawn(three(), callers, { only: ['store', 'carol:billing'] })
    expect(Object.keys(cellsOf(report))).toEqual(['alice store', 'bob store', 'carol billing', 'carol store'])
    expect(report.narrowed).toEqual(['--only store,carol:billing'])
    expect(report.agents.map(({ agent, peer }) => [agent, peer])).toEqual([
      ['billing', 'carol'],
      ['store', 'bob'],
    ])
    await expect(proveDrawn(three(), callers, { only: ['shop'] })).rejects.toMatchObject({
      code: 'ERR_USAGE',
    })
    await expect(proveDrawn(three(), callers, { only: ['alice:store'] })).rejects.toMatchObject({
      code: 'ERR_USAGE',
    })
  })

  it('goes on where an agent is down, and names it', async () => {
    const { report } = await proveDrawn(three(), callers, { urls: { search: 'http://127.0.0.1:1' } })
    expect(cellsOf(report)).toMatchObject({
      'alice billing': 'true pass',
      'alice search': 'null skip',
      'bob search': 'null skip',
      'bob store': 'true pass',
    })
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(report.diagnosis).toMatch(/^search did not answer: /)
    expect(checkOf(report, 'mesh.coverage')).toMatchObject({ status: 'fail', actual: '1 gap' })
    expect(report.agents[1]).toMatchObject({ agent: 'search', ok: false, reachable: false, peer: 'alice' })
  })

  it('warns of an agent that no peer calls, and says what to do with it', async () => {
    const { report } = await proveDrawn([freshRoster('billing', ['alice']), freshRoster('search', [])], {
      alice: ['billing'],
    })
    expect(report.ok).toBe(true)
    expect(checkOf(report, 'mesh.coverage')).toMatchObject({
      status: 'warn',
      detail: 'probed without credentials alone, since no peer can call it: search',
    })
    for (const rule of ['mesh.coverage', 'mesh.agent'] as const)
      expect(textsOf(rule).mend.join(' ')).toContain('Remove an agent that no peer calls from the mesh file')
  })

  it('is out of reach only where no agent answers', async () => {
    const nowhere = {
      billing: 'http://127.0.0.1:1',
      search: 'http://127.0.0.1:2',
      store: 'http://127.0.0.1:3',
    }
    const { report } = await proveDrawn(three(), callers, { urls: nowhere })
    expect(report).toMatchObject({ ok: false, reachable: false, diagnosis: 'no agent answered' })
  })

  it('sends nothing to two agents with one URL', async () => {
    const rosters = three()
    const agent = await recording(rosters[0])
    const twin = agent.url.replace('127.0.0.1', 'localhost')
    const { report } = await proveDrawn(rosters, callers, {
      urls: { billing: agent.url, search: `${twin}/` },
    })
    expect(agent.requests).toEqual([])
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toContain('billing, search have one URL')
    expect(cellsOf(report)).toMatchObject({ 'bob store': 'true pass', 'alice billing': 'null skip' })
  })

  it('shows that an expired edge is refused, and does not spend a live token', async () => {
    const past = new Date(Date.now() - 60_000)
    const bob = freshPeer('bob')
    const ended = {
      ...bob,
      seeds: bob.seeds.map((one) => ({ ...one, expiresAt: past })),
      tokens: bob.tokens.map((one) => ({ ...one, expiresAt: past })),
    }
    const carol = freshPeer('carol')
    const half = { ...carol, seeds: carol.seeds.map((one) => ({ ...one, expiresAt: past })) }
    const billing = freshRoster('billing', ['alice', ended, half])
    const known = withPeers(billing, { bob, carol })
    const peers = {
      alice: ['billing'],
      bob: [{ agent: 'billing', expires: past.toISOString() }],
      carol: ['billing'],
    }
    const { report } = await proveDrawn([billing], peers)
    expect(cellsOf(report)).toEqual({
      'alice billing': 'true pass',
      'bob billing': 'false pass',
      'carol billing': 'null warn',
    })
    expect(report.matrix.map(({ expired }) => expired)).toEqual([undefined, true, true])
    expect(report.ok).toBe(true)

    const stale = await recording(known)
    const late = await proveDrawn([billing], peers, { urls: { billing: stale.url } })
    expect(cellsOf(late.report)).toMatchObject({ 'bob billing': 'true fail' })
    const [, , third] = tokensOf(known)
    expect(sent(stale, 'authorization').filter((value) => value.includes(third ?? '?'))).toEqual([])
  })

  it('names a peer that a store has and the file does not, and what the stores do not have yet', async () => {
    const billing = freshRoster('billing', ['alice', 'mallory'])
    const { report } = await proveDrawn([billing], { alice: ['billing'] })
    expect(cellsOf(report)).toEqual({ 'alice billing': 'true pass', 'mallory billing': 'true fail' })
    expect(report.diagnosis).toContain('let in, and not declared in the mesh file: mallory at billing')

    const early = await proveDrawn([freshRoster('billing', ['alice'])], {
      alice: ['billing'],
      bob: ['billing'],
    })
    expect(cellsOf(early.report)).toEqual({ 'alice billing': 'true pass', 'bob billing': 'null fail' })
    expect(early.report.diagnosis).toContain(
      'the stores do not have what the mesh file declares: bob at billing',
    )
  })

  it('shows whole credentials of other edges to an agent only with `cross`', async () => {
    const [billing, , store] = three()
    const agents = [await recording(billing), await recording(store)] as const
    const peers = { alice: ['billing'], bob: ['billing', 'store'], carol: ['billing'] }
    const urls = { billing: agents[0].url, store: agents[1].url }
    const { report } = await proveDrawn([billing, store], peers, { urls, cross: true })
    const alice = tokensOf(billing)[0] ?? '?'
    expect(sent(agents[1], 'authorization').some((value) => value.includes(alice))).toBe(true)
    expect(cellsOf(report)).toMatchObject({ 'alice store': 'false pass', 'carol store': 'false pass' })
    expect(report.matrix.find(({ peer, agent }) => peer === 'alice' && agent === 'store')?.detail).toBe(
      'refused with its credentials at billing',
    )
    expect(agents[1].guesses.size).toBe(4)
  })

  it('names crossed edges where `cross` finds them', async () => {
    const [billing, , store] = three()
    const peers = { alice: ['billing'], bob: ['billing', 'store'], carol: ['billing'] }
    const { report } = await proveDrawn([billing, store], peers, { cross: true, served: { store: billing } })
    expect(cellsOf(report)).toMatchObject({ 'alice store': 'true fail' })
    expect(report.diagnosis).toContain('edges are crossed at store')
  })

  it('asks for the task of one peer as another only with `isolation`, where an agent has two', async () => {
    const said: string[] = []
    const { report } = await proveDrawn(three(), callers, {
      isolation: true,
      announce: (text) => said.push(text),
    })
    const isolated = report.agents.map(({ agent, report: of }) => [
      agent,
      of?.checks.filter(({ id, status }) => id === 'isolation' && status === 'pass').length,
    ])
    expect(isolated).toEqual([
      ['billing', 2],
      ['search', 2],
      ['store', 0],
    ])
    expect(said.filter((text) => text.includes('isolation: sends the message "ping"'))).toHaveLength(2)
    expect(report.ok).toBe(true)
  })

  it('forgets no removed peer where the agent refuses right credentials too', async () => {
    const [billing, search] = three()
    const after = withRemoved(billing, ['bob'], new Date())
    const { report, refused } = await proveDrawn(
      [after, search],
      { ...callers, bob: [] },
      {
        served: { billing: freshRoster('billing', ['alice']) },
      },
    )
    expect(cellsOf(report)).toMatchObject({
      'bob billing removed': 'null skip',
      'alice billing': 'false fail',
    })
    expect(refused).toEqual([])
  })

  it('isolates nobody where no agent has two peers', async () => {
    const alone = { alice: ['billing'] }
    await expect(
      proveDrawn([freshRoster('billing', ['alice'])], alone, { isolation: true }),
    ).rejects.toMatchObject({
      code: 'ERR_USAGE',
    })
  })

  it('sends an agent no more requests a second than it may, however many edges it has', async () => {
    const billing = freshRoster('billing', ['alice', 'bob', 'carol', 'dave'])
    const agent = await recording(billing)
    const all = Object.fromEntries([...billing.peers.keys()].map((name) => [name, ['billing']]))
    const rate = 100
    const { report } = await proveDrawn([billing], all, { urls: { billing: agent.url }, rate })
    expect(report.ok).toBe(true)
    // Each run begins with a request that waits for none.
    expect(report.durationMs).toBeGreaterThanOrEqual(((agent.requests.length - 4) * 1000) / rate - 200)
  })

  it('ends by its deadline, and names what it did not reach', async () => {
    // It takes connections, and never answers.
    const silent = createServer()
    await using at = await listening(silent)
    const urls = { billing: `http://127.0.0.1:${at.port}` }
    const { report } = await proveDrawn(three(), callers, { urls, deadlineMs: 500, concurrency: 1 })
    expect(report.ok).toBe(false)
    expect(report.durationMs).toBeLessThan(3000)
    expect(checkOf(report, 'mesh.coverage')).toMatchObject({ status: 'fail' })
    expect(cellsOf(report)).toMatchObject({ 'bob store': 'null skip' })
  })

  it('works through a gate in front of an agent without a guard', async () => {
    const [, search, store] = three()
    const file = JSON.parse(
      JSON.stringify(makeServerFile({ roster: search, at: new Date() })),
    ) as ServerFileDocument
    const gate = await gateTo(await startBareAgent(), { file })
    const peers = { alice: ['search'], bob: ['store'], carol: ['search'] }
    const { report } = await proveDrawn([search, store], peers, { urls: { search: gate.origin } })
    expect(report.diagnosis).toBeUndefined()
    expect(cellsOf(report)).toMatchObject({
      'alice search': 'true pass',
      'carol search': 'true pass',
      'bob search': 'false pass',
    })
    expect(report.ok).toBe(true)
  })

  it('never holds a secret in its report', async () => {
    const rosters = three()
    const { report } = await proveDrawn(rosters, callers, {
      served: { billing: freshRoster('billing', ['alice']) },
    })
    const text = JSON.stringify(report)
    for (const roster of rosters) {
      for (const token of tokensOf(roster)) expect(text).not.toContain(token)
      for (const { seeds } of roster.peers.values())
        for (const { seed } of seeds) expect(text).not.toContain(seed.base32)
    }
  })

  it('never holds a token that an agent quotes to another of its peers', async () => {
    const [billing] = three()
    const [alice = '?'] = tokensOf(billing)
    const agent = await recording(billing, {
      refuse: (response) => {
        response.writeHead(401, { 'Content-Type': 'application/json', 'WWW-Authenticate': 'Bearer' })
        response.end(JSON.stringify({ error: { code: 401, message: `alice has ${alice}` } }))
        return true
      },
    })
    const all = { alice: ['billing'], bob: ['billing'], carol: ['billing'] }
    const { report } = await proveDrawn([billing], all, { urls: { billing: agent.url } })
    const text = JSON.stringify(report.matrix)
    expect(text).not.toContain(alice)
    expect(text).toContain('alice has [secret]')
  })
})
