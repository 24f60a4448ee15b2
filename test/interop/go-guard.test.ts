import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { signRequest } from '../../src/core/proof/sign.js'
import type { CodeProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { makeStore, runCli } from '../support/cli.js'
import { describeWithGo, runGo } from '../support/go.js'
import { numbers } from '../support/numbers.js'
import { firstLineOf } from '../support/python.js'
import { ourVerdicts, type ToldRequest, type ToldRun } from '../support/verdicts.js'
import proofs from '../vectors/proof.json' with { type: 'json' }
import vectors from '../vectors/wire.json' with { type: 'json' }

const module = fileURLToPath(new URL('./go', import.meta.url))

const requestsInARun = 200
const runsOfAFile = 5

interface File {
  readonly profile: CodeProfile & { readonly header: string }
  readonly sharedSeeds?: readonly { readonly seed: string }[]
  readonly peers: Readonly<
    Record<string, Partial<CodeProfile> & { readonly seeds?: readonly { readonly seed: string }[] }>
  >
}

/** Requests in and around the window, of any peer: plain and signed ones, captured ones, and what strangers send. */
function* randomRequests(
  file: File,
  random: (limit: number) => number,
  start: number,
): Generator<ToldRequest> {
  const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
  const rarely = (): boolean => random(12) === 0
  const { header } = file.profile
  const sent: ToldRequest[] = []
  let at = start
  for (let made = 0; made < requestsInARun; made++) {
    at += pick([0, 1, random(500), random(5000), random(31_000), -random(2000)])
    if (sent.length > 0 && random(6) === 0) {
      const { fields, ...captured } = pick(sent.slice(-5))
      const kept = fields.filter(([name]) => !rarely() || name === 'authorization')
      yield { ...captured, at, fields: kept, ...(rarely() && { target: '/other' }) }
      continue
    }
    const name = pick(Object.keys(file.peers))
    const peer = { ...file.profile, ...file.peers[name] }
    const seed = Seed.fromBase32(pick(file.sharedSeeds ?? peer.seeds ?? []).seed)
    const step = Math.floor(at / 1000 / peer.period) + pick([0, 0, 0, 0, 1, -1, 2, -2, 3, 10, -11, 40, -41])
    const right = generateCodeOfStep(seed, peer, step)
    const wrong = String(random(10 ** peer.digits)).padStart(peer.digits, '0')
    const code = pick([right, right, right, right, right, wrong, '000000', '', ` ${right}`, right.slice(1)])
    const token = `a2at_vector-token-of-${rarely() ? pick([...Object.keys(file.peers), 'nobody']) : name}`
    const [method, target, body] = [
      pick(['POST', 'POST', 'GET']),
      pick(['/', '/a2a?x=%2F', '/b?']),
      pick(['', '{}']),
    ]
    const fields: [string, string][] = [
      ['authorization', rarely() ? pick(['Bearer', `bearer  ${token}`, 'Basic YTpi']) : `Bearer ${token}`],
      [pick([header, header.toLowerCase()]), code],
    ]
    if (rarely()) fields.push(pick(fields))
    if (random(2) === 0) fields.push(['content-type', 'application/json'])
    if (random(2) === 0) {
      const created = Math.floor(at / 1000) + pick([0, 0, 0, 0, 0, -59, -61, 60, 61])
      const signed = signRequest(
        {
          binding: 'http',
          method,
          target,
          header: (wanted) =>
            fields.flatMap(([field, value]) => (field.toLowerCase() === wanted ? [value] : [])),
        },
        {
          key: new ProofKey(seed, rarely() ? 'other' : 'vectors'),
          header,
          digest: digestOf('http', Buffer.from(rarely() ? 'other' : body)),
          created,
          expires: created + pick([60, 60, 60, 30, 61]),
          nonce: Uint8Array.from({ length: 16 }, () => random(256)),
        },
      )
      fields.push(...Object.entries(signed.fields))
    }
    const request = { at, fields, source: pick(['', '192.0.2.1', '::1']), method, target, body }
    sent.push(request)
    yield request
  }
}

/** What goes out, and who is let in: all but the log. */
function onTheWire(verdict: object): object {
  const { http, grpc, ...rest } = verdict as { http?: object; grpc?: object; reason?: string; peer?: string }
  return http ? { http, grpc } : rest
}

const card = {
  name: 'billing',
  description: 'has no task',
  version: '1',
  supportedInterfaces: [{ url: 'ORIGIN/a2a/jsonrpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  skills: [],
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
  securityRequirements: [{ schemes: { bearer: { list: [] } } }],
}

/** Starts an agent behind the guard, for a store. */
async function startAgent(cwd: string): Promise<string> {
  writeFileSync(join(cwd, 'base.json'), JSON.stringify(card))
  const file = await runCli(['config', 'server'], { cwd })
  const merged = await runCli(['config', 'card', '--merge', 'base.json'], { cwd })
  const paths = ['server.json', 'card.json'].map((name) => join(cwd, name))
  for (const [index, { stdout }] of [file, merged].entries()) writeFileSync(paths[index] ?? '', stdout)
  const program = join(cwd, 'agent')
  runGo(module, ['build', '-o', program, './cmd/agent'])
  const child = spawn(program, paths)
  onTestFinished(() => void child.kill())
  return firstLineOf(child)
}

describeWithGo('the guard in Go that was written from docs/wire.md', () => {
  it('is formatted, and has nothing that vet finds', () => {
    expect(runGo(module, ['-l', '-s', '.'], { tool: 'gofmt' })).toBe('')
    runGo(module, ['vet', './...'])
  }, 400_000)

  it('passes every vector', () => {
    const lines = runGo(module, ['test', '-count=1', '-json', '.']).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as { Action: string; Test?: string })
    const passed = events.filter(({ Action, Test }) => Action === 'pass' && Test?.includes('/'))
    const { runs, signedRuns, answers, serverFiles } = vectors
    const all = [runs, signedRuns, answers, serverFiles, proofs.cases]
    expect(passed).toHaveLength(all.reduce((sum, { length }) => sum + length, 0))
  }, 400_000)

  it.each([
    ['strict', ['--strict'], []],
    ['once', ['--replay', 'once', '--digits', '8'], []],
    ['reuse', ['--signed', 'off'], ['--throttle']],
  ])(
    'holds against probe, under %s',
    async (_, init, options) => {
      const cwd = await makeStore(['alice', 'bob'], init)
      const url = await startAgent(cwd)
      const { stdout } = await runCli(['probe', url, 'alice', '--json', ...options], { cwd })
      const report = JSON.parse(stdout) as { ok: boolean; checks: { id: string; status: string }[] }
      expect(report.checks.filter(({ status }) => status === 'fail' || status === 'warn')).toEqual([])
      expect(report.ok).toBe(true)
    },
    400_000,
  )

  const files: Readonly<Record<string, object>> = vectors.files

  it(`lets in and answers as our scheme does, with ${Object.keys(files).length * runsOfAFile * requestsInARun} random requests`, async () => {
    const random = numbers(20_261_130)
    const runs: ToldRun[] = []
    const ours: object[][] = []
    for (const [file, document] of Object.entries(files)) {
      for (let run = 0; run < runsOfAFile; run++) {
        const since = Date.parse('2026-06-01T16:40:00Z') + random(60_000)
        const requests = [...randomRequests(document as File, random, since)]
        runs.push({ file, since, requests })
        ours.push(await ourVerdicts(document, since, requests))
      }
    }
    const theirs = JSON.parse(
      runGo(module, ['run', './cmd/verdicts'], { input: JSON.stringify({ files, runs }) }),
    ) as object[][]
    for (const [index, verdicts] of ours.entries()) {
      for (const [at, verdict] of verdicts.entries()) {
        const where = JSON.stringify([runs[index]?.file, verdict, runs[index]?.requests[at]])
        expect(onTheWire(theirs[index]?.[at] ?? {}), where).toEqual(onTheWire(verdict))
      }
    }
    // So that it can be trusted.
    const outcomes = ours
      .flat()
      .map((verdict) => String('reason' in verdict ? verdict.reason : (verdict as { proof: string }).proof))
    expect([...new Set(outcomes)].sort()).toEqual(
      expect.arrayContaining([
        'code',
        'code-doubled',
        'code-malformed',
        'code-missing',
        'code-replayed',
        'code-wrong',
        'guesses-exhausted',
        'proof-digest',
        'proof-key',
        'proof-mac',
        'proof-malformed',
        'proof-missing',
        'proof-replayed',
        'proof-stale',
        'proof-uncovered',
        'replay-unknown',
        'signed',
        'token-doubled',
        'token-malformed',
        'token-refused',
      ]),
    )
  }, 400_000)
})
