import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, constants, createWriteStream, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import { proofReasons, type SignedPolicy } from '../../src/core/proof/profile.js'
import { auditEvents } from '../../src/doctor/event-audit.js'
import { tallyEvents } from '../../src/doctor/event-tally.js'
import type { Finding } from '../../src/doctor/finding.js'
import type { AuthRequest } from '../../src/server/scheme/request.js'
import { binary, makeStore, parseJson, runBinary, runCli, startBinary, type CliRun } from '../support/cli.js'
import { Clock, headersOf, peers, schemeFor } from '../support/guarded.js'
import { expectHarmlessText, hostile } from '../support/hostile-text.js'
import { peerOf, rosterOf } from '../support/roster.js'

type Event = Readonly<Record<string, unknown>>
const linesOf = (events: readonly Event[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('')
const many = (number: number, event: Event): Event[] => Array.from({ length: number }, () => event)

const at = '2026-11-24T00:00:00.000Z'
const letIn = {
  type: 'authenticated',
  at,
  binding: 'http',
  peer: 'alice',
  seedId: 's',
  timeStep: 1,
  drift: 0,
}
const signed = { ...letIn, proof: 'valid' }
const unsigned = { ...letIn, proof: 'absent' }
const wrong = (proofReason: string): Event => ({ ...letIn, proof: 'invalid', proofReason })

/** Opens a pipe to write once somebody reads it. */
async function openedForWriting(pipe: string): Promise<number> {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    }
    await setImmediate()
  }
}

async function findingsOf(events: readonly Event[], policy: SignedPolicy): Promise<Finding[]> {
  const roster = rosterOf([peerOf('alice'), peerOf('bob')], { signed: policy })
  const tally = await tallyEvents(Readable.from([Buffer.from(linesOf(events))]), new Set(roster.peers.keys()))
  return auditEvents(tally, roster)
}

describe('what events say of the proofs of a peer', () => {
  it('is that nobody compares the body of what it signs', async () => {
    const unseen = { ...letIn, proof: 'invalid', proofReason: 'content-unseen' }
    const observed = { ...unseen, type: 'proof_observed' }
    // The second server sees not even which request it was.
    for (const told of [signed, unseen]) {
      const [finding, ...others] = await findingsOf([told, observed, signed, told, observed], 'observe')
      expect(others).toEqual([])
      expect(finding).toMatchObject({
        id: 'signed-invalid',
        message: expect.stringContaining('2 of its 3 requests had an invalid proof') as string,
        fix: expect.stringMatching(/^content-unseen: a body parser/) as string,
      })
    }
  })

  it('is that it can be made to sign, once all of its requests were', async () => {
    for (const policy of ['observe', 'accept'] as const) {
      const later = { ...signed, at: '2026-11-29T10:00:00.000Z' }
      expect(await findingsOf([...many(11_999, signed), later], policy)).toMatchObject([
        {
          id: 'signed-ready',
          severity: 'note',
          subject: 'alice',
          message: 'signed all of its 12,000 requests from 2026-11-24 to 2026-11-29',
          fix: 'a2a-totp set alice --signed require',
        },
      ])
    }
  })

  it('is nothing where proofs are required already, or not looked at', async () => {
    const events = [
      signed,
      wrong('proof-mac'),
      { type: 'refused', at, peer: 'alice', reason: 'proof-mac', proof: 'invalid' },
    ]
    expect(await findingsOf(events, 'require')).toEqual([])
    expect(await findingsOf(events, 'off')).toEqual([])
    expect(await findingsOf([letIn], 'observe')).toEqual([])
  })

  it('is how many came without a proof', async () => {
    expect(await findingsOf([signed, unsigned, unsigned], 'accept')).toMatchObject([
      {
        id: 'signed-partly',
        message: 'sent 2 of its 3 requests without a proof on 2026-11-24; signed require would refuse them',
      },
    ])
  })

  it('is why proofs are invalid, the most frequent reason first, and what that means', async () => {
    const events = [...many(3, signed), ...many(2, wrong('proof-mac')), wrong('proof-stale')]
    const [finding, ...others] = await findingsOf(events, 'observe')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ id: 'signed-invalid', severity: 'warning', subject: 'alice' })
    expect(finding?.message).toContain('3 of its 6 requests had an invalid proof')
    expect(finding?.message).toContain('(proof-mac 2, proof-stale 1)')
    expect(finding?.fix).toMatch(/^proof-mac: .*pathPrefix.*; proof-stale: the clock/)
  })

  it.each(proofReasons)('has words for %s', async (reason) => {
    const [finding] = await findingsOf([wrong(reason)], 'observe')
    expect(finding?.fix).toMatch(new RegExp(`^${reason}: .{20}`))
  })

  it('counts a body that turned out to be another one as invalid', async () => {
    const mismatch = {
      type: 'proof_observed',
      at,
      peer: 'alice',
      proof: 'invalid',
      proofReason: 'proof-digest',
    }
    const [finding] = await findingsOf([signed, signed, mismatch], 'observe')
    expect(finding?.message).toContain('1 of its 2 requests had an invalid proof')
  })

  it('counts refused proofs as often as the event says, and a wrong code is none', async () => {
    const refused = {
      type: 'refused',
      at,
      peer: 'alice',
      reason: 'proof-stale',
      proof: 'invalid',
      proofReason: 'proof-stale',
    }
    const replayed = { ...refused, type: 'replayed', reason: 'proof-replayed', proofReason: 'proof-replayed' }
    const code = { ...refused, reason: 'code-wrong', proofReason: 'proof-mac' }
    const findings = await findingsOf(
      [signed, { ...refused, count: 40 }, { ...refused, count: 'x' }, replayed, code],
      'accept',
    )
    expect(findings.map(({ id }) => id)).toEqual(['signed-refused'])
    expect(findings[0]?.message).toContain('42 requests with its token had an invalid proof and were refused')
    expect(findings[0]?.message).toContain('(proof-stale 41, proof-replayed 1)')
  })

  it.each([
    ['an agent', { type: 'replayed' }],
    ['a gate', { event: 'call', role: 'gate', result: 'refused', time: at }],
  ])('counts what was refused for a spent code by its proof, in the log of %s', async (_, type) => {
    const spent = (proof: string, more: Event = {}): Event => ({
      ...{ at, peer: 'alice', reason: 'code-replayed', proof, shown: proof },
      ...more,
      ...type,
    })
    expect(await findingsOf([signed, ...many(2, spent('absent'))], 'accept')).toMatchObject([
      { id: 'signed-partly', message: expect.stringContaining('sent 2 of its 3 requests') as string },
    ])
    const wrong = spent('invalid', { proofReason: 'proof-mac' })
    expect(await findingsOf([signed, wrong], 'observe')).toMatchObject([
      { id: 'signed-invalid', message: expect.stringContaining('(proof-mac 1)') as string },
    ])
    expect(await findingsOf([signed, spent('valid')], 'observe')).toMatchObject([{ id: 'signed-ready' }])
  })

  it('leaves out guesses: whoever has a token can send wrong codes, or none at all, without a proof', async () => {
    const guess = { type: 'refused', at, peer: 'alice', reason: 'code-wrong', proof: 'absent' }
    expect(await findingsOf([signed, guess, { ...guess, reason: 'proof-missing' }], 'accept')).toMatchObject([
      { id: 'signed-ready' },
    ])
  })
})

describe('a log of events', () => {
  const tally = (text: string | Buffer, pieces = 7) =>
    tallyEvents(
      Readable.from(
        (function* () {
          const bytes = Buffer.from(text)
          for (let start = 0; start < bytes.length; start += pieces)
            yield bytes.subarray(start, start + pieces)
        })(),
      ),
      new Set(['alice', '__proto__']),
    )

  it('may have other lines, which are counted, and something before each event', async () => {
    const lines = [
      'listening on :8080',
      '{"level":30,"msg":"hello"}',
      '{"type":"authenticated","peer":"alice","proof":"valid"',
      '[1]',
      '',
      `agent-1  | ${JSON.stringify(signed)}\r`,
      JSON.stringify({ level: 30, ...unsigned }),
      JSON.stringify({ ...signed, peer: 'mallory' }),
      JSON.stringify({ type: 'server_file_loaded', at }),
      'é'.repeat(40_000),
      JSON.stringify(signed),
    ]
    const found = await tally(lines.join('\n'), 61)
    expect(found).toMatchObject({ lines: 10, counted: 3, unknown: 1, foreign: 5 })
    expect(found.peers.get('alice')).toMatchObject({ valid: 2, absent: 1 })
  })

  it('is read the same wherever it is cut', async () => {
    const text = linesOf([signed, unsigned, wrong('proof-key'), { ...signed, peer: 'ünknown' }])
    const whole = await tally(text, 1 << 20)
    for (const pieces of [1, 2, 3, 64]) expect(await tally(text, pieces)).toEqual(whole)
  })

  it('has no names that mean something to JavaScript, and no values of another type', async () => {
    const odd = [
      '{"type":"authenticated","peer":"__proto__","proof":"valid"}',
      '{"type":"authenticated","peer":["alice"],"proof":"valid"}',
      '{"type":"authenticated","peer":"alice","proof":["valid"]}',
      '{"type":"refused","peer":"alice","proof":"invalid","reason":"constructor","count":-5}',
      '{"type":"authenticated","peer":"alice","proof":"invalid","proofReason":"toString","at":"yesterday"}',
      `{"type":"authenticated","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ]
    const { peers: found } = await tally(odd.join('\n'), 4096)
    expect(found.get('__proto__')).toMatchObject({ valid: 1 })
    expect(found.get('alice')).toMatchObject({ valid: 0, invalid: new Map([['proof-malformed', 1]]) })
    expect(found.get('alice')).not.toHaveProperty('first')
  })
})

/** A request of alice, at an agent behind something that adds to its path. */
function requestOf(clock: Clock, path: string, proof: boolean): AuthRequest {
  const body = Buffer.from('{}')
  const fields: Record<string, string> = Object.fromEntries(
    Object.entries(headersOf('alice', clock.at)).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const seconds = Math.floor(clock.at.getTime() / 1000)
  const base = {
    binding: 'http',
    method: 'POST',
    header: (name: string) => [fields[name] ?? []].flat(),
    // Its content is the one that was signed.
    body: { expectDigest: () => true, observeDigest: () => undefined },
  } as const
  if (proof) {
    const { fields: proofFields } = signRequest(
      { ...base, target: '/a2a' },
      {
        key: new ProofKey(peers.alice.seed, 'agent'),
        header: 'X-TOTP',
        digest: createHash('sha256').update(body).digest(),
        created: seconds,
        expires: seconds + 60,
        nonce: randomBytes(16),
      },
    )
    Object.assign(fields, proofFields)
  }
  return { ...base, target: path }
}

describe('doctor --events', () => {
  async function observed(paths: readonly string[]): Promise<string> {
    const clock = new Clock()
    const { scheme, events } = schemeFor(clock, { agent: 'agent', signed: 'observe' })
    for (const path of paths) {
      expect((await scheme.authenticate(requestOf(clock, path, path !== ''))).caller?.peer).toBe('alice')
      clock.advance(1)
    }
    return `starting\n${events.map((event) => JSON.stringify(event)).join('\n')}\n`
  }

  it('reads what the scheme of an agent logged, from a file and from standard input', async () => {
    const cwd = await makeStore(['alice'])
    const log = await observed(['/a2a', '/a2a', '/a2a'])
    writeFileSync(join(cwd, 'events.ndjson'), log)
    const run = await runBinary(['doctor', '--events', 'events.ndjson'], { cwd })
    expect(run.stdout).toMatch(
      /^note {2}signed-ready {2}alice: signed all of its 3 requests on \S+; fix: a2a-totp set alice --signed require$/m,
    )
    expect(run.stderr).toContain('4 lines read, 3 events with proofs of these peers, 1 skipped: not events\n')
    const piped = await runBinary(['doctor', '--events', '-', '--json'], { cwd, stdin: log })
    expect(parseJson(piped)).toMatchObject({
      ok: true,
      findings: expect.arrayContaining([
        expect.objectContaining({ id: 'signed-ready', subject: 'alice' }),
      ]) as unknown,
      events: { lines: 4, counted: 3, unknown: 0, foreign: 1 },
    })
    expect((await runBinary(['set', 'alice', '--signed', 'require'], { cwd })).exitCode).toBe(0)
    expect((await runBinary(['doctor', '--events', 'events.ndjson'], { cwd })).stdout).not.toContain(
      'signed-',
    )
  })

  it('names a path that is rewritten on the way', async () => {
    const cwd = await makeStore(['alice'])
    const stdin = await observed(['/a2a', '/', '/'])
    const { stdout } = await runCli(['doctor', '--events', '-'], { cwd, stdin })
    expect(stdout).toContain('warning  signed-invalid  alice: 2 of its 3 requests had an invalid proof')
    expect(stdout).toContain('fix: proof-mac: something on the way changes the path')
  })

  it('puts several peers in one line, with one command', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const stdin = linesOf([signed, signed, { ...signed, peer: 'bob' }])
    expect((await runCli(['doctor', '--events', '-'], { cwd, stdin })).stdout).toContain(
      'signed-ready  2 peers: alice, bob: signed all of their requests; fix: a2a-totp set alice bob --signed require\n',
    )
  })

  it('reads a pipe to its end', async () => {
    const cwd = await makeStore(['alice'])
    await new Promise((done) => spawn('mkfifo', [join(cwd, 'pipe')]).on('close', done))
    const reading = startBinary(['doctor', '--events', 'pipe'], { cwd })
    let stdout = ''
    reading.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    const ended = new Promise((done) => reading.on('close', done))
    await pipeline(Readable.from([linesOf([signed])]), createWriteStream(join(cwd, 'pipe')))
    expect([await ended, stdout]).toEqual([0, expect.stringContaining('signed all of its 1 request on')])
  })

  it('ends when it is interrupted before anybody writes to a pipe', async () => {
    const cwd = await makeStore(['alice'])
    const pipe = join(cwd, 'pipe')
    await new Promise((done) => spawn('mkfifo', [pipe]).on('close', done))
    const reading = startBinary(['doctor', '--events', 'pipe'], { cwd })
    const ended = once(reading, 'close')
    const writer = await openedForWriting(pipe)
    try {
      reading.kill('SIGTERM')
      expect((await ended)[0]).toBe(143)
    } finally {
      closeSync(writer)
    }
  })

  it('refuses what cannot be read, and events for several stores', async () => {
    const cwd = await makeStore(['alice'])
    mkdirSync(join(cwd, 'folder'))
    for (const path of ['none.ndjson', 'folder']) {
      const refused = await runBinary(['doctor', '--events', path], { cwd })
      expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
      expect(refused.stderr).toMatch(
        /^error: the file given to --events cannot be read \(E[A-Z]+\); check its path/m,
      )
    }
    const other = await makeStore(['alice'])
    const stores = ['a2a-totp.json', join(other, 'a2a-totp.json')]
    const refused = await runBinary(['doctor', ...stores, '--events', '-'], { cwd })
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('prints nothing of a hostile log', async () => {
    const cwd = await makeStore(['alice'])
    const odd = [
      signed,
      { ...signed, peer: hostile },
      wrong(hostile),
      { ...signed, at: hostile, source: hostile },
      { type: hostile },
    ]
    for (const more of [[], ['--verbose'], ['--json']]) {
      const run: CliRun = await runCli(['doctor', '--events', '-', ...more], {
        cwd,
        stdin: `${hostile}\n${linesOf(odd)}`,
      })
      expect(run.exitCode).toBe(0)
      expectHarmlessText(run.stdout)
      expectHarmlessText(run.stderr)
    }
  })

  it('keeps nothing of a large log', { timeout: 120_000 }, async () => {
    const cwd = await makeStore(['alice'])
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=64', binary, 'doctor', '--json', '--events', '-'],
      { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: cwd }, stdio: ['pipe', 'pipe', 'inherit'] },
    )
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    const ended = new Promise((done) => child.on('close', done))
    const piece = linesOf(many(1000, { ...signed, source: 'x'.repeat(300) }))
    // 150 MB of events, and 50 MB without the end of a line.
    const pieces = (function* () {
      for (let written = 0; written < 300; written++) yield piece
      for (let written = 0; written < 50; written++) yield 'y'.repeat(1_000_000)
    })()
    await pipeline(Readable.from(pieces), child.stdin)
    expect(await ended).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      events: { lines: 300_001, counted: 300_000, foreign: 1 },
    })
  })
})
