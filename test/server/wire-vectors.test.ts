import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryGuard } from '../../src/guards/index.js'
import { httpAnswer, TOTPServerAuthScheme, type AuthOutcome } from '../../src/server/index.js'
import { makeFolder } from '../support/cli.js'
import vectors from '../vectors/wire.json' with { type: 'json' }

interface Vector {
  readonly at: string
  readonly headers: readonly (readonly string[])[]
  readonly source?: string
  readonly times?: number
  readonly verdict: object
}

/** An outcome in the words of the vectors. */
function verdictOf({ caller, refusal }: AuthOutcome): object {
  if (caller) {
    const { peer, seedId, timeStep, drift } = caller
    return { peer, seedId, timeStep, drift }
  }
  const { reason, retryAfter } = refusal
  return { status: httpAnswer(refusal).status, reason, ...(retryAfter !== undefined && { retryAfter }) }
}

describe('the vectors that every implementation answers alike', () => {
  it.each(vectors.runs)('$name', async ({ file, since, requests }) => {
    const path = join(makeFolder(), 'server.json')
    writeFileSync(path, JSON.stringify(vectors.files[file as keyof typeof vectors.files]), { mode: 0o600 })
    let at = new Date(since)
    const scheme = TOTPServerAuthScheme.fromFile(path, {
      guard: memoryGuard({ since: at }),
      now: () => at,
    })
    try {
      for (const [index, { headers, source, times = 1, verdict, ...request }] of (
        requests as Vector[]
      ).entries()) {
        at = new Date(request.at)
        for (let time = 0; time < times; time++) {
          const outcome = await scheme.authenticate({
            binding: 'http',
            method: 'POST',
            target: '/',
            header: (name) =>
              headers.flatMap(([field = '', value = '']) =>
                field.toLowerCase() === name.toLowerCase() ? [value] : [],
              ),
            source,
          })
          expect(verdictOf(outcome), `request ${index}, time ${time}`).toEqual(verdict)
        }
      }
    } finally {
      scheme.close()
    }
  })
})
