import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import { checkIds, probe, type ProbeReport } from '../../src/probe/index.js'
import { startTestAgent } from '../support/broken-agent.js'
import { alice, bob, findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const verdicts = ({ checks }: ProbeReport): string[] =>
  checks.map(({ id, binding, protocolVersion, status }) => [id, binding, protocolVersion, status].join(' '))

const statusOf = (report: ProbeReport, id: string): string | undefined =>
  report.checks.find((check) => check.id === id)?.status

describe('the report', () => {
  it('has every check once for each cell, or once at all', async () => {
    const { report } = await probeAgent({})
    const cells = report.checks.filter(({ id }) => id === 'auth.valid')
    expect(cells.map(({ binding, protocolVersion }) => `${binding ?? ''} ${protocolVersion ?? ''}`)).toEqual([
      'jsonrpc 1.0',
      'jsonrpc 0.3',
      'rest 1.0',
      'rest 0.3',
    ])
    const byDefault = checkIds.filter((id) => !['window', 'throttle', 'isolation'].includes(id))
    expect(new Set(report.checks.map(({ id }) => id))).toEqual(new Set(byDefault))
    expect(new Set(verdicts(report)).size).toBe(report.checks.length)
    const { passed, failed, warned, skipped } = report.summary
    expect(passed + failed + warned + skipped).toBe(report.checks.length)
  })

  it('counts every request that the agent saw, the opening of the card included', async () => {
    const { report, agent } = await probeAgent({})
    expect(report.requests).toBe(agent.requests.length)
  })

  it('holds no seed, token or code, even where the agent repeats what it was sent', async () => {
    const { report, agent } = await probeAgent({
      refuse: (response, _reason, call) => {
        const sent = agentFields.at(-1)?.join(' ') ?? call.taskId
        response
          .writeHead(401, { 'WWW-Authenticate': 'Bearer' })
          .end(JSON.stringify({ error: { code: 1, message: sent } }))
        return true
      },
      answers: (_response, _call, { authorization, codes }) => {
        agentFields.push([...authorization, ...codes])
        return false
      },
    })
    const text = JSON.stringify(report)
    expect(statusOf(report, 'leak')).toBe('fail')
    for (const secret of [alice.token, bob.token, alice.seed.base32, bob.seed.base32])
      expect(text).not.toContain(secret)
    const step = timeStepAt(defaultProfile, midStep)
    for (let drift = -30; drift <= 30; drift++) {
      for (const { seed } of [alice, bob])
        expect(text).not.toContain(generateCodeOfStep(seed, defaultProfile, step + drift))
    }
    for (const guess of agent.guesses) expect(text).not.toContain(guess.split(' ')[1])
  })
  const agentFields: string[][] = []

  it('is not ok for a warning when strict', async () => {
    const quirks = { card: (card: object) => ({ ...card, securitySchemes: {} }) }
    expect((await probeAgent(quirks)).report).toMatchObject({ ok: true })
    expect((await probeAgent(quirks, { strict: true })).report).toMatchObject({ ok: false })
  })
})

describe('the selection', () => {
  it('reports only what was asked for, and sends no guess that nobody needs', async () => {
    const { report, agent } = await probeAgent({}, { only: ['auth.none', 'card.and'] })
    expect(new Set(report.checks.map(({ id }) => id))).toEqual(new Set(['card.and', 'auth.none']))
    expect(report.guessesSpent).toBe(0)
    expect(agent.guesses.size).toBe(0)
  })

  it('sends no credentials for what a call adds nothing to', async () => {
    const only = ['reach', 'tls', 'card.fetch', 'card.bearer', 'card.totp', 'card.and']
    const { report, agent } = await probeAgent({ peersOf: () => [] }, { only })
    expect(report.ok).toBe(true)
    expect(agent.requests.some(({ fields }) => fields.includes('Authorization'))).toBe(false)
  })

  it.each([
    { only: ['auth.none'] },
    { only: ['auth.wrong-code', 'challenge'] },
    { only: ['clock'] },
    { skip: ['auth.valid', 'coverage'] },
    { only: ['auth.wrong-code'], skip: ['auth.none', 'auth.valid'] },
  ])('is not ok for %o where nobody is let in, and says why', async (options) => {
    const { report, agent } = await probeAgent({ peersOf: () => [] }, options)
    expect(report.ok).toBe(false)
    expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({ status: 'fail', binding: null })
    expect(agent.guesses.size).toBe(0)
    expect((await probeAgent({}, options)).report.ok).toBe(true)
  })

  it('never sends what was to be skipped', async () => {
    const { report, agent } = await probeAgent({}, { skip: ['auth.wrong-code', 'auth.cross-peer'] })
    expect(statusOf(report, 'auth.wrong-code')).toBeUndefined()
    expect(agent.guesses.size).toBe(2)
    expect(report.guessesSpent).toBe(2)
  })

  it('refuses an id that is none, and lists those that are', async () => {
    const refused = probe({
      ...probeOptions('http://127.0.0.1:1', stillClock(midStep)),
      only: ['auth.magic'],
    })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_USAGE' })
    await expect(refused).rejects.toThrow('auth.bearer-only')
  })

  it.each(['ftp://127.0.0.1', 'not a URL', 'http://user:hunter2@127.0.0.1'])(
    'refuses the URL %s',
    async (url) => {
      const refused = probe(probeOptions(url, stillClock(midStep)))
      await expect(refused).rejects.toMatchObject({ code: 'ERR_USAGE' })
      await expect(refused).rejects.not.toThrow('hunter2')
    },
  )
})

describe('guesses', () => {
  it('are the same four in every cell and in a second and third run, so the verdict stays', async () => {
    const clock = stillClock(midStep)
    const agent = await startTestAgent({ peers: [alice, bob], profile: defaultProfile, now: clock.now })
    closers.push(() => agent.close())
    const run = (): Promise<ProbeReport> => probe(probeOptions(agent.url, clock))
    const [first, second, third] = [await run(), await run(), await run()]
    expect([first, second, third].map(findings)).toEqual([{}, {}, {}])
    expect(verdicts(third)).toEqual(verdicts(first))
    expect(agent.guesses.size).toBe(4)
  })

  it('are sent to no cell before right credentials were let in by all', async () => {
    const { agent } = await probeAgent({}, { grpc: true })
    const right = generateCodeOfStep(alice.seed, defaultProfile, timeStepAt(defaultProfile, midStep))
    const codeIn = ({ fields }: { fields: readonly string[] }): string | undefined =>
      fields.includes(`Bearer ${alice.token}`) ? fields[fields.indexOf(defaultProfile.header) + 1] : undefined
    const codes = agent.requests.map(codeIn)
    const guesses = new Set([...agent.guesses].map((guess) => guess.split(' ')[1]))
    const firstGuess = codes.findIndex((code) => guesses.has(code))
    expect(firstGuess).toBeGreaterThan(0)
    // Beside what was sent with the right code before them, one more call in each cell.
    const lastGuess = codes.findLastIndex((code) => guesses.has(code))
    expect(codes.slice(firstGuess, lastGuess)).not.toContain(right)
    expect(codes.slice(lastGuess)).toContain(right)
  })

  it('wait for a fresh time step in the last second of one', async () => {
    const clock = stillClock(new Date(midStep.getTime() + 19_500))
    const { report, agent } = await probeAgent({}, {}, clock)
    expect(findings(report)).toEqual({})
    const steps = new Set([...agent.guesses].map((guess) => guess.split(' ')[0]))
    expect([...steps]).toEqual([String(timeStepAt(defaultProfile, midStep) + 1)])
  })

  it('are not sent where right credentials are refused', async () => {
    const { report, agent } = await probeAgent({ header: 'X-OTP' })
    expect(report.guessesSpent).toBe(0)
    expect(agent.guesses.size).toBe(0)
    expect(report.checks.find(({ id }) => id === 'auth.valid')?.detail).toContain('X-OTP')
  })

  it('count as refused where the agent has had enough of them', async () => {
    const { report, said } = await probeAgent({ budget: 3 })
    expect(statusOf(report, 'auth.cross-peer')).toBe('pass')
    expect(findings(report)).toEqual({})
    expect(said).toEqual(['the agent throttles: waiting 30 s, once'])
  })
})

describe('at an agent that throttles', () => {
  it('is not ok when everything is throttled: that shows nothing', async () => {
    const { report } = await probeAgent({
      answers: (response) => {
        response.writeHead(429).end()
        return true
      },
    })
    expect(report.ok).toBe(false)
  })
})

describe('under policy once', () => {
  const once = {
    credentials: { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const },
  }

  it('comes to the same verdict, and announces how long it takes', async () => {
    const { report, said } = await probeAgent({ once: true }, once)
    expect(findings(report)).toEqual({})
    expect(statusOf(report, 'auth.valid')).toBe('pass')
    expect(said[0]).toContain('4 valid calls need a time step each, about 60 s')
  })

  it('learns the policy from the answer to a repeated code', async () => {
    const { report } = await probeAgent({ once: true })
    expect(findings(report)).toEqual({})
  })
})

describe('credentials', () => {
  it('go to no other host that the card names, unless it is allowed', async () => {
    const seen: string[] = []
    const stranger = createServer((request, response) => {
      seen.push(request.headers.authorization ?? 'none')
      response.writeHead(401).end()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => stranger.once('listening', resolve))
    closers.push(() => new Promise((resolve) => stranger.close(() => resolve())))
    const { port } = stranger.address() as AddressInfo
    // By this name the loopback address is another host than 127.0.0.1 is, for everyone but a resolver.
    const elsewhere = `http://[::ffff:127.0.0.1]:${port}`
    const quirks = {
      card: (card: Record<string, unknown>, origin: string) =>
        JSON.parse(JSON.stringify(card).replaceAll(`${origin}/rest`, elsewhere)) as unknown,
    }
    const { report } = await probeAgent(quirks)
    expect(seen).toEqual([])
    expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('--allow-host') as string,
    })
    const skipped = report.checks.filter(({ binding }) => binding === 'rest')
    expect(new Set(skipped.map(({ status }) => status))).toEqual(new Set(['skip']))

    await probeAgent(quirks, { allowHosts: ['[::ffff:7f00:1]'], insecureHttp: true })
    expect(seen.some((line) => line.includes(alice.token))).toBe(true)
    const without = seen.length
    await probeAgent(quirks, { allowHosts: ['[::ffff:7f00:1]'] })
    expect(seen.slice(without).every((line) => line === 'none')).toBe(true)
  })

  it('do not follow a redirect', async () => {
    const { report, agent } = await probeAgent({
      answers: (response) => {
        response.writeHead(307, { Location: '/elsewhere' }).end()
        return true
      },
    })
    expect(statusOf(report, 'auth.valid')).toBe('fail')
    expect(agent.requests.some(({ url }) => url === '/elsewhere')).toBe(false)
  })
})

describe('--send', () => {
  it('sends one message a cell, and only when asked to', async () => {
    // Without a code beside them, the empty messages of `auth.doors` go to the same path.
    const sends = (requests: readonly { url: string; fields: readonly string[] }[]): number =>
      requests.filter(({ url, fields }) => url.endsWith(':send') && fields.includes('X-TOTP')).length
    expect(sends((await probeAgent({})).agent.requests)).toBe(0)
    const { report, agent } = await probeAgent({}, { send: 'hello' })
    expect(sends(agent.requests)).toBe(2)
    expect(findings(report)).toEqual({})
  })
})

describe('without a usable card', () => {
  it('takes the URL for the endpoint of what was asked for', async () => {
    const { report } = await probeAgent(
      { card: () => [] },
      { path: '/rest', binding: 'rest', protocol: '1.0' },
    )
    expect(findings(report)).toEqual({ 'card.fetch': 'warn' })
    expect(report.checks.filter(({ id }) => id === 'auth.valid')).toMatchObject([
      { binding: 'rest', protocolVersion: '1.0', status: 'pass' },
    ])
  })

  it('is not ok when there is nothing to test at the URL', async () => {
    const { report } = await probeAgent({ card: () => [] }, { path: '/nowhere' })
    expect(report.ok).toBe(false)
    const coverage = report.checks.find(({ id }) => id === 'coverage')
    expect(coverage).toMatchObject({ binding: null, status: 'fail' })
    expect(coverage?.detail).toContain('--binding')
  })

  it('is not ok where the card names interfaces that are not served, and names each', async () => {
    const card = (_: unknown, origin: string): unknown => ({
      name: 'x',
      supportedInterfaces: ['/gone', '/gone-too'].map((path) => ({
        url: origin + path,
        protocolBinding: 'HTTP+JSON',
        protocolVersion: '1.0',
      })),
    })
    const { report } = await probeAgent({ card })
    const coverage = report.checks.find(({ id }) => id === 'coverage')
    expect([report.ok, coverage?.status]).toEqual([false, 'fail'])
    expect(coverage?.detail).toMatch(/REST 1\.0 at \S+\/gone: .*; REST 1\.0 at \S+\/gone-too: /)
  })

  it.each(['/.well-known/agent-card.json', '/rpc', '/some/endpoint'])(
    'finds the card from %s',
    async (path) => {
      const { report } = await probeAgent({}, { path, only: ['card.fetch', 'auth.none'] })
      expect(findings(report)).toEqual({})
      expect(report.checks.filter(({ id }) => id === 'auth.none')).toHaveLength(4)
    },
  )
})
