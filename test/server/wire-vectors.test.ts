import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { memoryState } from '../../src/state/index.js'
import { httpAnswer, TOTPServerAuthScheme, type AuthOutcome } from '../../src/server/index.js'
import { grpcAnswer } from '../../src/server/scheme/refusal.js'
import { secondLooks } from '../support/guarded.js'
import { serverFileOf, type Run } from '../support/wire-runs.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

/** An outcome in the words of the vectors. */
function verdictOf({ caller, refusal }: AuthOutcome): object {
  if (caller) {
    const { peer, seedId, timeStep, drift } = caller
    return { peer, seedId, timeStep, drift }
  }
  const { reason, retryAfter } = refusal
  return { status: httpAnswer(refusal).status, reason, ...(retryAfter !== undefined && { retryAfter }) }
}

/** The same of signed runs, which also say what let a caller in. */
function signedVerdictOf(outcome: AuthOutcome): object {
  return { ...verdictOf(outcome), ...(outcome.caller && { proof: outcome.caller.proof }) }
}

/** What a scheme of a vector's file answers to each of its requests, one after the other. */
async function* outcomesOf({ file, since, requests }: Run) {
  let at = new Date(since)
  using scheme = TOTPServerAuthScheme.fromFile(
    serverFileOf(vectors.files[file as keyof typeof vectors.files]),
    {
      state: memoryState({ since: at }),
      now: () => at,
    },
  )
  for (const [index, { headers, source, times = 1, verdict, ...request }] of requests.entries()) {
    at = new Date(request.at)
    const { method = 'POST', target = '/', body = '' } = request
    const digest = digestOf('http', Buffer.from(body))
    for (let time = 0; time < times; time++) {
      const outcome = await scheme.authenticate({
        binding: 'http',
        method,
        target,
        header: (name) =>
          headers.flatMap(([field = '', value = '']) =>
            field.toLowerCase() === name.toLowerCase() ? [value] : [],
          ),
        source,
        body: { expectDigest: (_, expected) => digest.equals(expected) },
      })
      await secondLooks()
      yield { outcome, verdict, where: `request ${index}, time ${time}` }
    }
  }
}

describe('the vectors that every implementation answers alike', () => {
  it.each(vectors.runs)('$name', async (run) => {
    for await (const { outcome, verdict, where } of outcomesOf(run)) {
      expect(verdictOf(outcome), where).toEqual(verdict)
    }
  })
})

describe('the vectors of signed requests', () => {
  it.each(vectors.signedRuns)('$name', async (run) => {
    for await (const { outcome, verdict, where } of outcomesOf(run)) {
      expect(signedVerdictOf(outcome), where).toEqual(verdict)
    }
  })
})

describe('the answers that every implementation gives, byte for byte', () => {
  it.each(vectors.answers)('$name', async ({ http, grpc, ...run }) => {
    const outcomes: AuthOutcome[] = []
    for await (const { outcome } of outcomesOf(run)) outcomes.push(outcome)
    const refusal = outcomes.at(-1)?.refusal
    if (!refusal) throw new Error('the last request was not refused')
    const { headers, ...answer } = httpAnswer(refusal)
    expect({ ...answer, headers: headers.map(([name, value]) => [name.toLowerCase(), value]) }).toEqual(http)
    expect(grpcAnswer(refusal)).toEqual(grpc)
  })
})

describe('the server files that every implementation reads or refuses', () => {
  type Tree = Record<string | number, unknown>

  it.each(vectors.serverFiles)('$name: $accepted', ({ file, at, accepted, ...change }) => {
    const document = structuredClone(vectors.files[file as keyof typeof vectors.files]) as unknown as Tree
    const last = at.at(-1) ?? ''
    const parent = at.slice(0, -1).reduce<Tree>((tree, key) => tree[key] as Tree, document)
    if ('value' in change) parent[last] = change.value
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- it is a field of JSON
    else delete parent[last]
    const load = (): void => TOTPServerAuthScheme.fromFile(serverFileOf(document)).close()
    if (accepted) load()
    else expect(load).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_/) as string }))
  })
})
