import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf } from '../../src/core/proof/digest.js'
import { httpAnswer, TOTPServerAuthScheme, type AuthOutcome } from '../../src/server/index.js'
import type { AuthEvent } from '../../src/server/scheme/events.js'
import { grpcAnswer } from '../../src/server/scheme/refusal.js'
import type { BodyExpectation } from '../../src/server/scheme/request.js'
import { memoryState } from '../../src/state/index.js'
import { makeFolder } from './cli.js'
import { secondLooks } from './guarded.js'
import { packagePath, pythonTests, runPython } from './python.js'

/** A request as JSON has it, for the scheme and for Python. */
export interface ToldRequest {
  /** In milliseconds. */
  readonly at: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly source: string
  /** Default `POST`, `/` and none. */
  readonly method?: string
  readonly target?: string
  readonly body?: string
}

/** Requests to one agent, with nothing remembered at their start. */
export interface ToldRun {
  /** The name of its server file. */
  readonly file: string
  readonly since: number
  readonly requests: readonly ToldRequest[]
}

/** All that a caller and a log get to know. */
function verdictOf({ caller, refusal }: AuthOutcome, events: readonly AuthEvent[]): object {
  if (caller) {
    const { peer, seedId, timeStep, drift, proof } = caller
    return { peer, seedId, timeStep, drift, proof }
  }
  const { headers, ...answer } = httpAnswer(refusal)
  const fields = headers.map(([name, value]) => [name.toLowerCase(), value])
  const { reason, peer = null } = refusal
  return {
    reason,
    peer,
    stale: events.find((event) => event.type === 'code_stale')?.drift ?? null,
    suspected: events.some(({ type }) => type === 'token_compromise_suspected'),
    http: { ...answer, headers: fields },
    grpc: grpcAnswer(refusal),
  }
}

/** What the scheme decides about one request after the other. */
export async function ourVerdicts(
  document: object,
  since: number,
  requests: readonly ToldRequest[],
): Promise<object[]> {
  const path = join(makeFolder(), 'server.json')
  writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
  let now = since
  const events: AuthEvent[] = []
  using scheme = TOTPServerAuthScheme.fromFile(path, {
    state: memoryState({ since: new Date(since) }),
    now: () => new Date(now),
    onEvent: (event) => events.push(event as AuthEvent),
  })
  const verdicts: object[] = []
  for (const { at, fields, source, method = 'POST', target = '/', body = '' } of requests) {
    now = at
    events.length = 0
    const header = (wanted: string): string[] =>
      fields.flatMap(([name, value]) => (name.toLowerCase() === wanted.toLowerCase() ? [value] : []))
    const outcome = await scheme.authenticate({
      binding: 'http',
      method,
      target,
      header,
      source,
      body: contentOf(Buffer.from(body)),
    })
    await secondLooks()
    verdicts.push(verdictOf(outcome, events))
  }
  return verdicts
}

function contentOf(content: Uint8Array): BodyExpectation {
  const digest = digestOf('http', content)
  return { expectDigest: (_, expected) => digest.equals(expected) }
}

/** What the Python package decides about each request of each run. */
export function pythonVerdicts(
  files: Readonly<Record<string, object>>,
  runs: readonly ToldRun[],
): readonly (readonly object[])[] {
  const input = JSON.stringify({ files, runs })
  return JSON.parse(
    runPython('a2a-1', [`${pythonTests}verdicts.py`], { input, path: packagePath }),
  ) as object[][]
}
