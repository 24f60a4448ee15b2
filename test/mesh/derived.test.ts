import { expect, it } from 'vitest'
import type { CheckId } from '../../src/probe/check-ids.js'
import type { CheckResult, CheckStatus, ProbeReport } from '../../src/probe/index.js'
import type { MeshAgent } from '../../src/mesh/file/mesh.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { checkCoverage } from '../../src/mesh/prove/checks.js'
import { derivedFrom } from '../../src/mesh/prove/derived.js'
import { unshown, type AgentShown, type PairShown } from '../../src/mesh/prove/shown.js'
import { defaultProfile } from '../../src/core/profile.js'
import { freshPeer, meshText } from '../support/mesh-agents.js'

const mesh = parseMesh(
  meshText({ agents: { billing: 'http://127.0.0.1:1' }, peers: { alice: ['billing'], bob: [] } }),
  '/nowhere/mesh.json',
)
const [billing] = [...mesh.agents.values()] as [MeshAgent]

const refused = [
  'auth.none',
  'auth.bearer-only',
  'auth.wrong-token',
  'auth.wrong-code',
  'auth.cross-peer',
] as const

const checkOf = (id: CheckId, status: CheckStatus): CheckResult => ({
  ...{ id, status, binding: 'jsonrpc', protocolVersion: '1.0', durationMs: 1 },
  ...{ expected: '', actual: '', url: null, detail: status === 'skip' ? 'not sent' : '' },
})

/** What is worked out for bob, who is not declared, from a full probe as alice. */
function bobAt(statuses: Partial<Record<CheckId, CheckStatus>>, hasOther = true) {
  const checks = [...refused, 'auth.valid' as const].map((id) => checkOf(id, statuses[id] ?? 'pass'))
  const [seed] = freshPeer('carol').seeds
  const agent: AgentShown = {
    lead: { peer: 'alice', agent: billing, standing: { kind: 'absent' }, removed: [], over: false },
    ...{ agent: billing, detail: '', isGap: false, report: { checks, ok: true } as unknown as ProbeReport },
    ...(hasOther &&
      seed && { other: { peer: 'carol', agent: 'search', code: { ...defaultProfile, seed: seed.seed } } }),
  }
  const bob: PairShown = {
    pair: { peer: 'bob', agent: billing, standing: { kind: 'absent' }, removed: [], over: false },
    ...{ shown: unshown(''), removed: [] },
  }
  const shown = derivedFrom(bob, [agent], true)
  return { shown: shown.shown, coverage: checkCoverage([agent], [shown]) }
}

it('shows that a pair is kept out where all was seen to be refused, and names the edge whose code was', () => {
  const { shown, coverage } = bobAt({})
  expect(shown).toMatchObject({ admitted: false, status: 'pass' })
  expect(shown.detail).toContain('refuses a code of another edge, carol at search')
  expect(coverage.status).toBe('pass')
})

it.each(refused)('does not show it where the refusals of %s were not seen, which is a gap', (id) => {
  const { shown, coverage } = bobAt({ [id]: 'skip' })
  expect(shown).toMatchObject({
    admitted: null,
    status: 'skip',
    detail: `not tried at the agent: ${id}: not sent`,
  })
  expect(coverage).toMatchObject({ status: 'fail', detail: `bob at billing: ${shown.detail}` })
})

it('says that no code could be tried where no other edge has one', () => {
  const { shown } = bobAt({ 'auth.cross-peer': 'skip' }, false)
  expect(shown).toMatchObject({ admitted: false, status: 'pass' })
  expect(shown.detail).toBe('it has no credentials here, and no other edge has a code that could be tried')
})
