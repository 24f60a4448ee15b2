import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import type { MeshReport } from '../../src/mesh/prove/mesh-report.js'
import { withRun } from '../../src/mesh/status/current.js'
import { startTestAgent, type Quirks } from '../support/broken-agent.js'
import { listening } from '../support/listening.js'
import { freshRoster, proveDrawn } from '../support/mesh-agents.js'

const search = freshRoster('search', [])

/** Where an agent is that has a defect. */
async function agentWith(quirks: Quirks): Promise<string> {
  const agent = await startTestAgent({
    ...{ peers: [], profile: defaultProfile, now: () => new Date(), grpc: false, quirks },
  })
  onTestFinished(() => agent.close())
  return agent.url
}

async function proved(url?: string, calls: readonly object[] = []): Promise<MeshReport> {
  const { report } = await proveDrawn(
    [search],
    { alice: calls },
    { ...(url !== undefined && { urls: { search: url } }) },
  )
  return report
}

const coverageIn = ({ checks }: MeshReport): unknown => checks.find(({ id }) => id === 'mesh.coverage')

describe('an agent that no peer can call', () => {
  it('is probed without credentials, and passes with a warning where it refuses', async () => {
    const report = await proved()
    expect(report).toMatchObject({ ok: true, reachable: true, guessesSpent: 0 })
    const [agent] = report.agents
    expect(agent).toMatchObject({ peer: null, ok: true, reachable: true, report: { ok: true } })
    const passed = agent?.report?.checks.flatMap(({ id, status }) => (status === 'pass' ? id : []))
    expect([...new Set(passed)]).toEqual([
      ...['auth.none', 'auth.bearer-only', 'auth.totp-only', 'auth.wrong-token', 'auth.stream'],
    ])
    expect(coverageIn(report)).toMatchObject({ status: 'warn' })
    const again = { ...report, narrowed: ['--only search'] }
    expect(coverageIn(withRun(withRun(undefined, report), again).report)).toMatchObject({
      status: 'warn',
      detail: 'no peer can call: search',
    })
  })

  it.each([
    ['lets everybody in', { waves: () => true }, []],
    ['lets everybody in, and has an edge that is over', { waves: () => true }, ['2020-01-01T00:00:00Z']],
  ])('fails where it %s', async (_, quirks, ends) => {
    const calls = ends.map((expires) => ({ agent: 'search', expires }))
    const report = await proved(await agentWith(quirks), calls)
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(report.diagnosis).toContain('search is not guarded')
    expect(report.agents).toMatchObject([{ ok: false, detail: 'callers without any credentials are let in' }])
  })

  it('fails where it does not answer', async () => {
    const report = await proved('http://127.0.0.1:1')
    expect(report).toMatchObject({ ok: false, reachable: false })
    expect(coverageIn(report)).toMatchObject({ status: 'fail' })
  })

  it('fails where nothing shows what it lets in', async () => {
    await using server = await listening(createServer((_, response) => response.end('{}')))
    const report = await proved(`http://127.0.0.1:${server.port}`)
    expect(report).toMatchObject({ ok: false, reachable: true })
    expect(report.agents).toMatchObject([{ ok: false }])
  })
})

describe('a mesh without agents', () => {
  it('fails, since nothing was sent', async () => {
    const { report } = await proveDrawn([], {})
    expect(report).toMatchObject({ ok: false, requests: 0 })
    expect(coverageIn(report)).toMatchObject({ status: 'fail', detail: 'the mesh has no agent' })
  })
})
