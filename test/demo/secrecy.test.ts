import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { startDemoAgent, type DemoAgent } from '../../src/demo/index.js'
import type { ReplayPolicy } from '../../src/core/profile.js'
import { grpcAnswer, httpAnswer } from '../../src/server/scheme/refusal.js'
import {
  bearerOf,
  Clock,
  codeOf,
  headersOf,
  peers,
  requestWith,
  rosterOf,
  schemeFor,
  wrongCodeOf,
} from '../support/guarded.js'
import { callGrpc, messageFor, metadataOf, services, versionOf } from '../support/grpc-agent.js'

type Fields = Readonly<Record<string, string>>

/** One request of each kind: let in, and refused for every reason that a code can give. */
function requestsAt(at: Date): readonly Fields[] {
  const Authorization = bearerOf('alice')
  const right = codeOf('alice', at)
  const codes = [
    `${right}0`,
    ` ${right} `,
    `${right}, ${right}`,
    codeOf('alice', at, { drift: -9 }),
    codeOf('bob', at),
  ]
  const guesses = Array.from({ length: 5 }, (_, which) => wrongCodeOf(at, which))
  return [
    ...[right, right, ...codes, ...guesses, right].map((code) => ({ Authorization, 'X-TOTP': code })),
    { Authorization },
    { 'X-TOTP': right },
    { ...headersOf('bob', at), Authorization },
    { Authorization: 'Bearer nobody', 'X-TOTP': right },
    headersOf('bob', at),
  ]
}

/** Every code that was sent or could have been, as a word among other digits. */
function codesAt(at: Date): RegExp[] {
  const sent = requestsAt(at).flatMap((fields) => fields['X-TOTP']?.match(/\d{6,}/g) ?? [])
  const valid = (['alice', 'bob'] as const).flatMap((peer) =>
    [-2, -1, 0, 1, 2].map((drift) => codeOf(peer, at, { drift })),
  )
  return [...new Set([...sent, ...valid])].map((code) => new RegExp(`(?<!\\d)${code}(?!\\d)`))
}

/** A number that happens to look like a code of one time step is no code of the next. */
async function expectNoSecret(clock: Clock, collect: () => Promise<string>): Promise<void> {
  for (const step of ['this step', 'the next']) {
    const text = await collect()
    expect(text.length).toBeGreaterThan(1000)
    for (const code of codesAt(clock.at)) expect(text, step).not.toMatch(code)
    for (const { seed, token } of Object.values(peers)) {
      for (const secret of [seed.base32, token]) expect(text, step).not.toContain(secret)
    }
    clock.advance(30)
  }
}

describe('no code, seed or token is shown by', () => {
  let demo: DemoAgent | undefined
  afterEach(() => demo?.close())

  it.each(['reuse', 'once'] as const)(
    'events, outcomes, refusals and their answers, under %s',
    async (replay) => {
      const clock = new Clock()
      const { scheme, events } = schemeFor(clock, { replay })
      const outcomes = new Set<string>()
      await expectNoSecret(clock, async () => {
        const shown: unknown[] = []
        for (const fields of requestsAt(clock.at)) {
          const outcome = await scheme.authenticate(requestWith(fields))
          shown.push(outcome)
          outcomes.add(outcome.refusal?.reason ?? 'accepted')
          if (outcome.refusal) shown.push(httpAnswer(outcome.refusal), grpcAnswer(outcome.refusal))
        }
        shown.push(...events.splice(0), scheme)
        return shown.map((one) => JSON.stringify(one) + inspect(one, { depth: Infinity })).join('\n')
      })
      expect([...outcomes]).toEqual(
        expect.arrayContaining([
          'accepted',
          'code-malformed',
          'code-wrong',
          'code-missing',
          'token-refused',
          'guesses-exhausted',
        ]),
      )
      expect(outcomes.has('code-replayed')).toBe(replay === 'once')
    },
  )

  it.each<ReplayPolicy>(['reuse', 'once'])(
    'the log lines and answers of a server, over HTTP and gRPC, under %s',
    async (replay) => {
      const clock = new Clock()
      const lines: string[] = []
      demo = await startDemoAgent({
        roster: rosterOf(replay),
        port: 0,
        now: clock.now,
        log: (line) => lines.push(line),
      })
      const urlOf = (binding: string): string =>
        demo?.interfaces.find(
          ({ protocolBinding, protocolVersion }) => protocolBinding === binding && protocolVersion === '1.0',
        )?.url ?? expect.fail('no such interface')
      await expectNoSecret(clock, async () => {
        const answers: string[] = []
        for (const fields of requestsAt(clock.at)) {
          const response = await fetch(`${urlOf('HTTP+JSON')}/tasks/none?code=${fields['X-TOTP'] ?? ''}`, {
            headers: fields,
          })
          answers.push(JSON.stringify([...response.headers]) + (await response.text()))
          const metadata = metadataOf({ ...versionOf('1.0'), ...fields })
          const ending = await callGrpc(
            urlOf('GRPC'),
            services['1.0'],
            'getTask',
            messageFor('1.0', 'getTask'),
            metadata,
          )
          answers.push(inspect(ending, { depth: Infinity }))
        }
        await expect
          .poll(() => lines.filter((line) => line.endsWith(' ms')).length)
          .toBe(2 * requestsAt(clock.at).length)
        return [...answers, ...lines.splice(0)].join('\n')
      })
    },
  )
})
