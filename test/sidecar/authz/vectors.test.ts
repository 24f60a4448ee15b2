import { describe, expect, it } from 'vitest'
import { TOTPServerAuthScheme } from '../../../src/server/scheme/scheme.js'
import { memoryState } from '../../../src/state/memory-state.js'
import { askAs, authz, fieldOf, fronts, seenOf, type Front } from '../../support/authz.js'
import { checker, rawCheck, type Checked } from '../../support/ext-authz.js'
import { secondLooks } from '../../support/guarded.js'
import type { Answer, SentRequest } from '../../support/signed-requests.js'
import { serverFileOf, type Run, type Verdict } from '../../support/wire-runs.js'
import vectors from '../../vectors/wire.json' with { type: 'json' }

/** What a client gets: of a front that passes answers on, or by way of `/denied`. */
interface Seen {
  readonly peer: string | undefined
  readonly proof: string | undefined
  readonly answer: Answer
}
type Ask = (request: SentRequest, source: string) => Promise<Seen>

const overHttp =
  (front: Front, port: number): Ask =>
  async (request, source) => {
    const headers = [...request.headers, ['X-Forwarded-For', source] as const]
    const { denied, ...answer } = await askAs(front, port, { ...request, headers })
    return {
      peer: fieldOf(answer, 'totppeer'),
      proof: fieldOf(answer, 'totpproof'),
      answer: denied ?? answer,
    }
  }

const overGrpc = (port: number): Ask => {
  const check = checker(port)
  return async (request, source) => {
    const { ok_response: ok, denied_response: denied }: Checked = await check(rawCheck(request, source))
    const lines = denied?.headers.map(({ header }) => `${header.key}: ${header.value}`) ?? []
    return {
      peer: ok?.headers[0]?.header.value,
      proof: undefined,
      answer: {
        status: denied?.status.code ?? 200,
        body: denied?.body ?? '',
        head: ['', ...lines].join('\r\n'),
      },
    }
  }
}

const ways = [...fronts, 'envoy-grpc' as const]

const plainWays: readonly string[] = ['nginx', 'caddy', 'envoy-grpc']

async function* answersOf({ file, since, requests }: Run, way: (typeof ways)[number]) {
  let at = new Date(since)
  using scheme = TOTPServerAuthScheme.fromFile(
    serverFileOf(vectors.files[file as keyof typeof vectors.files]),
    {
      state: memoryState({ since: at }),
      now: () => at,
      onEvent: () => undefined,
    },
  )
  const isGrpc = way === 'envoy-grpc'
  const only = isGrpc ? { http: undefined } : { grpc: undefined }
  const { port, grpcPort, calls } = await authz(scheme, { bodyUnchecked: true, ...only })
  const ask = isGrpc ? overGrpc(grpcPort) : overHttp(way, port)
  for (const { headers, source = '192.0.2.1', times = 1, verdict = {}, ...request } of requests) {
    at = new Date(request.at)
    const { method = 'POST', target = '/' } = request
    const lines = headers.map(([name = '', value = '']) => [name, value] as const)
    // HTTP/1.1 itself takes away what surrounds a value, and refuses control characters in one.
    if (!isGrpc && lines.some(([, value]) => /^\s|\s$|[^\P{Cc}]/u.test(value))) continue
    for (let time = 0; time < times; time++) {
      const seen = await ask({ method, target, headers: lines, body: Buffer.of() }, source)
      await secondLooks()
      yield { seen, verdict: verdict as Verdict, reason: calls.at(-1)?.outcome?.refusal?.reason }
    }
  }
}

describe.each(ways)('what /auth/%s answers to the vectors', (way) => {
  // A thousand requests. What they show does not depend on where a front says what it asks about.
  it.each(plainWays.includes(way) ? vectors.runs : [])('$name', async (run) => {
    for await (const { seen, verdict } of answersOf(run, way)) {
      const retryAfter = fieldOf(seen.answer, 'retry-after')
      expect([seen.peer, seen.answer.status, retryAfter]).toEqual([
        verdict.peer,
        verdict.status ?? 200,
        verdict.retryAfter === undefined ? undefined : String(verdict.retryAfter),
      ])
    }
  })

  it.each(vectors.signedRuns)('$name', async (run) => {
    for await (const { seen, verdict, reason } of answersOf(run, way)) {
      // No body is seen here, so nothing of it is wrong.
      if (verdict.reason === 'proof-digest' && reason === undefined) continue
      expect([seen.peer, seen.answer.status, reason]).toEqual([
        verdict.peer,
        verdict.status ?? 200,
        verdict.reason,
      ])
      if (way !== 'envoy-grpc' && verdict.proof !== undefined) {
        expect(seen.proof).toBe(verdict.proof === 'signed' ? 'signed-head' : verdict.proof)
      }
    }
  })

  it.each(vectors.answers)('$name, byte for byte', async ({ http, ...run }) => {
    let last: Answer | undefined
    for await (const { seen } of answersOf(run, way)) last = seen.answer
    const { status, headers, body } = seenOf(last ?? { status: 0, body: '' }) as typeof http
    // Over gRPC, Envoy writes the length.
    const expected = http.headers.filter(([name]) => way !== 'envoy-grpc' || name !== 'content-length')
    expect({ status, headers, body }).toEqual({ ...http, headers: expected })
  })
})
