import { describe, expect, it } from 'vitest'
import type { SignedPolicy } from '../../src/core/proof/profile.js'
import type { ReplayPolicy } from '../../src/core/profile.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import { claimingNoncesAlone, forgettingNonces, overlooking } from '../support/careless-proofs.js'
import { findings, midStep, probeOptions, skippedIn, stillClock } from '../support/probing.js'
import {
  agentName,
  startSigningAgent,
  type Carelessness,
  type SigningAgent,
} from '../support/signing-agent.js'

interface Policies {
  readonly replay: ReplayPolicy
  readonly signed: SignedPolicy
}

interface Probed {
  readonly report: ProbeReport
  readonly agent: SigningAgent
  readonly said: readonly string[]
  /** How long it waited, in seconds. */
  readonly waited: number
}

/** Probes a signing agent with what its store says of the peer. */
async function probeSigning(
  { replay, signed }: Policies,
  careless: Carelessness = {},
  options: (base: ProbeOptions) => Partial<ProbeOptions> = () => ({}),
): Promise<Probed> {
  const clock = stillClock(midStep)
  const agent = await startSigningAgent({ replay, signed, now: clock.now, careless })
  const said: string[] = []
  const base = probeOptions(agent.url, clock)
  const known = { agent: agentName, replay, signed, signedByAgent: signed }
  const given = {
    ...{ ...base, timeoutMs: 20_000, announce: (text: string) => void said.push(text) },
    credentials: { ...base.credentials, ...known },
  }
  try {
    const report = await probe({ ...given, ...options(given) })
    return { report, agent, said, waited: (clock.now().getTime() - midStep.getTime()) / 1000 }
  } finally {
    await agent.close()
  }
}

const statusesOf = (report: ProbeReport, id: string): string[] => [
  ...new Set(report.checks.filter((check) => check.id === id).map(({ status }) => status)),
]

const detailsOf = (report: ProbeReport, id: string): string =>
  [...new Set(report.checks.filter((check) => check.id === id).map(({ detail }) => detail))].join('\n')

const signedIds = (report: ProbeReport): Record<string, string> =>
  Object.fromEntries(
    report.checks.filter(({ id }) => id.startsWith('signed.')).map(({ id, status }) => [id, status]),
  )

const policies = ['off', 'observe', 'accept', 'require'] as const
const all = (['reuse', 'once'] as const).flatMap((replay) => policies.map((signed) => ({ replay, signed })))

/** What each policy has the probe test. */
const expectedOf = ({ replay, signed }: Policies): Record<string, string> => {
  const decides = signed === 'accept' || signed === 'require'
  const tested = decides ? 'pass' : 'skip'
  return {
    ...{
      'signed.advertised': 'pass',
      'signed.valid': 'pass',
      'signed.replay': tested,
      'signed.body': tested,
    },
    ...{ 'signed.target': tested, 'signed.header': tested, 'signed.stale': tested },
    'signed.stripped': signed === 'accept' && replay === 'reuse' ? 'warn' : tested,
    ...{ 'signed.other-agent': tested, 'signed.required': signed === 'require' ? 'pass' : 'skip' },
  }
}

describe('an agent that verifies proofs passes, over three bindings and in both versions,', () => {
  it.concurrent.each(all)('under $replay and $signed', async (both) => {
    const { report, agent } = await probeSigning(both)
    const expected = expectedOf(both)
    const details = report.checks.filter(({ status }) => status === 'fail' || status === 'warn')
    expect(findings(report), JSON.stringify(details, undefined, 1)).toEqual(
      Object.values(expected).includes('warn') ? { 'signed.stripped': 'warn' } : {},
    )
    expect(report.ok).toBe(true)
    expect(signedIds(report)).toEqual(expected)
    expect(skippedIn(report)).toEqual(['card.signature'])
    expect(report.checks.filter(({ id }) => id === 'auth.valid')).toHaveLength(6)
    expect(report.guessesSpent).toBe(both.signed === 'require' ? 0 : 4)
    expect(agent.letIn.includes('signed')).toBe(both.signed === 'accept' || both.signed === 'require')
    expect(agent.letIn.includes('code')).toBe(both.signed !== 'require')
  })
})

/** An agent that is wrong in one thing, and the one check that names it. */
interface Defect {
  readonly name: string
  readonly policies: Policies
  readonly careless: Carelessness
  readonly named: string
  /** The cells that have it, if not all. */
  readonly only?: RegExp
}

const onceAccept: Policies = { replay: 'once', signed: 'accept' }
const onceRequire: Policies = { replay: 'once', signed: 'require' }
const reuseRequire: Policies = { replay: 'reuse', signed: 'require' }

const without =
  (name: RegExp): NonNullable<Carelessness['refusal']> =>
  (fields) =>
    fields.filter(([field]) => !name.test(field))

const saying =
  (policy: string): NonNullable<Carelessness['card']> =>
  (card) =>
    JSON.parse(JSON.stringify(card).replace(/"policy":"[a-z]+"/, `"policy":"${policy}"`)) as typeof card

const silentCard: NonNullable<Carelessness['card']> = (card) => ({
  ...card,
  capabilities: { streaming: true },
})

const defects: readonly Defect[] = [
  ...[onceAccept, reuseRequire].flatMap((policies): Defect[] => [
    {
      name: 'forgets the nonces of proofs',
      ...{ policies, careless: { state: forgettingNonces }, named: 'signed.replay' },
    },
    { name: 'compares no body', ...{ policies, careless: { digests: false }, named: 'signed.body' } },
    ...['@path', '@query', '@method'].map((part): Defect => ({
      name: `lets a proof leave ${part} out`,
      ...{ policies, careless: { before: overlooking({ coverage: [part] }) }, named: 'signed.target' },
    })),
    {
      name: 'lets a proof leave the content type out',
      ...{ policies, careless: { before: overlooking({ coverage: ['content-type'] }) } },
      ...{ named: 'signed.header', only: /^jsonrpc/ },
    },
    {
      name: 'lets a proof leave the version out',
      ...{
        policies,
        careless: { before: overlooking({ coverage: ['a2a-version'] }) },
        named: 'signed.header',
      },
    },
    {
      name: 'lets proofs live for ever',
      ...{ policies, careless: { before: overlooking({ time: true }) }, named: 'signed.stale' },
    },
    {
      name: 'takes its name from the proof',
      ...{ policies, careless: { before: overlooking({ agent: true }) }, named: 'signed.other-agent' },
    },
  ]),
  {
    name: 'does not spend the code of a signed request',
    ...{ policies: onceAccept, careless: { state: claimingNoncesAlone }, named: 'signed.stripped' },
    // The first one that is let in spends it.
    only: /^jsonrpc.1.0/,
  },
  {
    name: 'says that its policy is another',
    ...{ policies: onceAccept, careless: { card: saying('require') }, named: 'signed.advertised' },
  },
  {
    name: 'says that it ignores proofs',
    ...{ policies: onceRequire, careless: { card: saying('off') }, named: 'signed.advertised' },
  },
  {
    name: 'says nothing about proofs',
    ...{ policies: onceAccept, careless: { card: silentCard }, named: 'signed.advertised' },
  },
  {
    name: 'demands a proof in no challenge',
    policies: onceRequire,
    careless: {
      refusal: (fields) => fields.map(([name, value]) => [name, value.replace(', proof="required"', '')]),
    },
    named: 'signed.advertised',
  },
  {
    name: 'does not say what a proof has to cover',
    ...{ policies: reuseRequire, careless: { refusal: without(/^accept-signature$/i) } },
    named: 'signed.advertised',
  },
]

describe('an agent that', () => {
  it.concurrent.each(defects)('$name, under $policies.replay and $policies.signed', async (defect) => {
    const { report } = await probeSigning(defect.policies, defect.careless)
    const failing = report.checks.filter(({ status }) => status === 'fail' || status === 'warn')
    expect(findings(report), JSON.stringify(failing, undefined, 1)).toEqual({ [defect.named]: 'fail' })
    const inCells = failing.map(({ binding, protocolVersion }) => `${binding ?? ''}/${protocolVersion ?? ''}`)
    const cells = ['jsonrpc', 'rest', 'grpc'].flatMap((one) => [`${one}/1.0`, `${one}/0.3`])
    expect(inCells).toEqual(cells.filter((cell) => defect.only?.test(cell) ?? true))
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toBeDefined()
  })

  it('requires proofs and lets plain requests in is named, and nothing else', async () => {
    const { report } = await probeSigning(reuseRequire, { enforces: 'accept' })
    // Its codes are still good for plain requests, so that of a signed one is too.
    expect(findings(report)).toEqual({ 'signed.required': 'fail', 'signed.stripped': 'fail' })
  })

  it('spends the codes of signed requests and lets plain ones in is named for that alone', async () => {
    const { report } = await probeSigning(onceRequire, { enforces: 'accept' })
    expect(findings(report)).toEqual({ 'signed.required': 'fail' })
    expect(statusesOf(report, 'signed.required').sort()).toEqual(['fail', 'skip'])
    expect(detailsOf(report, 'signed.required')).toContain('the code was spent where it was let in')
  })

  it.each(['accept', 'require'] as const)('verifies no MAC is named under %s', async (signed) => {
    const careless = { before: overlooking({ mac: true }) }
    const { report } = await probeSigning({ replay: 'once', signed }, careless)
    expect(findings(report)).toEqual({ 'signed.target': 'fail', 'signed.other-agent': 'fail' })
  })

  it('refuses every signed request is named, and what it refuses proves nothing', async () => {
    const before: Carelessness['before'] = (request) => ({ ...request, target: `/stripped${request.target}` })
    for (const signed of ['accept', 'require'] as const) {
      const { report } = await probeSigning({ replay: 'reuse', signed }, { before })
      expect(findings(report)).toMatchObject({ 'signed.valid': 'fail' })
      expect(statusesOf(report, 'signed.body')).toEqual(['skip'])
      expect(statusesOf(report, 'auth.valid')).toEqual([signed === 'accept' ? 'pass' : 'fail'])
      expect(detailsOf(report, 'signed.valid')).toContain(`the policy is ${signed}`)
    }
  })

  it('lets a signed request in under observe, whatever its proof, is not taken for a right proof', async () => {
    const before: Carelessness['before'] = (request) => ({ ...request, target: `/stripped${request.target}` })
    const { report } = await probeSigning({ replay: 'reuse', signed: 'observe' }, { before })
    expect(statusesOf(report, 'signed.valid')).toEqual(['pass'])
    expect(detailsOf(report, 'signed.valid')).toContain("is in the agent's events")
  })
})

describe('a run under once', () => {
  it('takes no longer than a run under reuse where proofs are accepted or required', async () => {
    for (const signed of ['accept', 'require'] as const) {
      const { report, waited, said, agent } = await probeSigning({ replay: 'once', signed })
      expect(report.ok).toBe(true)
      expect(waited).toBeLessThanOrEqual(30)
      expect(statusesOf(report, 'replay')).toEqual(['pass'])
      expect(said.some((text) => text.includes('the others are signed'))).toBe(signed === 'accept')
      // The plain call of the first interface shows that codes alone let in.
      expect(agent.letIn.filter((how) => how === 'code').length).toBe(signed === 'accept' ? 1 : 0)
    }
  })

  it('takes a time step for each valid call where proofs decide nothing', async () => {
    const { report, waited } = await probeSigning({ replay: 'once', signed: 'observe' })
    expect(report.ok).toBe(true)
    expect(waited).toBeGreaterThan(120)
  })
})

describe('what is refused where proofs are required', () => {
  it('is refused for its own fault, and never for a proof that is missing', async () => {
    const { report, agent } = await probeSigning(reuseRequire, {}, () => ({
      skip: [
        'signed.required',
        'signed.stripped',
        'auth.malformed-code',
        'auth.duplicate-header',
        'auth.doors',
      ],
    }))
    expect(report).toMatchObject({ ok: true, guessesSpent: 0 })
    const reasons = new Map<string, number>()
    for (const reason of agent.refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    // Without a code nothing can be signed; a right proof over another code is refused for the code.
    expect([...reasons.keys()].sort()).toEqual(
      ['code-wrong', 'proof-digest', 'proof-key', 'proof-mac', 'proof-malformed', 'proof-missing'].concat([
        ...['proof-replayed', 'proof-stale', 'proof-uncovered', 'token-missing', 'token-refused'],
      ]),
    )
  })

  it('is no guess, so nothing can be slowed down', async () => {
    const { report } = await probeSigning(reuseRequire, {}, () => ({ throttle: true, windowScan: true }))
    expect(report).toMatchObject({ ok: true, guessesSpent: 0 })
    expect(statusesOf(report, 'throttle')).toEqual(['skip'])
    expect(detailsOf(report, 'throttle')).toContain('no guess')
    expect(statusesOf(report, 'window')).toEqual(['pass'])
  })
})

describe('without a store', () => {
  const unknown =
    (more: Partial<ProbeOptions['credentials']>) =>
    ({ credentials }: ProbeOptions): Partial<ProbeOptions> => {
      const { token, seed, header, algorithm, digits, period, window } = credentials
      const bare = { token, seed, header, algorithm, digits, period, window }
      return { credentials: { ...bare, ...more } }
    }

  it.each(['accept', 'require'] as const)('what the agent advertises is tested: %s', async (signed) => {
    const { report } = await probeSigning({ replay: 'reuse', signed }, {}, unknown({ agent: agentName }))
    expect(report.ok).toBe(true)
    expect(signedIds(report)).toEqual(expectedOf({ replay: 'reuse', signed }))
  })

  it('a challenge is believed where the card says nothing', async () => {
    const { report } = await probeSigning(reuseRequire, { card: silentCard }, unknown({ agent: agentName }))
    expect(report.ok).toBe(true)
    expect(signedIds(report)).toEqual(expectedOf(reuseRequire))
  })

  it('nothing is signed without the name of the agent, and the report says so', async () => {
    const accepting = await probeSigning({ replay: 'reuse', signed: 'accept' }, {}, unknown({}))
    expect(accepting.report.ok).toBe(true)
    expect(statusesOf(accepting.report, 'signed.valid')).toEqual(['skip'])
    expect(detailsOf(accepting.report, 'signed.valid')).toContain('$A2A_TOTP_AGENT')
    const requiring = await probeSigning(reuseRequire, {}, unknown({}))
    expect(requiring.report.ok).toBe(false)
    expect(detailsOf(requiring.report, 'auth.valid')).toContain('$A2A_TOTP_AGENT')
    expect(requiring.report.guessesSpent).toBe(0)
  })

  it('nothing is tested where nothing is known', async () => {
    const { report } = await probeSigning(
      { replay: 'reuse', signed: 'off' },
      { card: silentCard },
      unknown({ agent: agentName }),
    )
    expect(report.ok).toBe(true)
    expect(new Set(Object.values(signedIds(report)))).toEqual(new Set(['skip']))
  })
})
