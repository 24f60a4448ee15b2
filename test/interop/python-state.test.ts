import { randomInt, randomUUID } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { digitCounts } from '../../src/core/profile.js'
import { redisState } from '../../src/server/redis.js'
import { budgetsByDigits, limitsFor, riskOf, type Budget } from '../../src/state/budgets.js'
import { memoryState } from '../../src/state/memory-state.js'
import { decideKeys, questionOf, takeBackKeys, takeBackQuestionOf } from '../../src/state/redis-questions.js'
import { sourceKey } from '../../src/state/source.js'
import type { Attempt, Decision, LateCode, State } from '../../src/state/state.js'
import { failureOf } from '../support/failure.js'
import { numbers } from '../support/numbers.js'
import { describeWith } from '../support/python.js'
import { asJson, PythonStates } from '../support/python-states.js'
import { clients } from '../support/redis-clients.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { inStep, rightCode, signed, someStep, wrongCode } from '../state/attempts.js'
import { allAnswers, runSchedule } from '../state/schedule.js'

/** Another one in each run; a failure names it. `SCHEDULE=n` runs it again. */
const seed = Number(process.env['SCHEDULE'] ?? randomInt(2 ** 30))
const steps = 600

describeWith('a2a-1', 'Python’s states', () => {
  it('limit guesses as ours do, for any digits, window, risk and budgets', async () => {
    const random = numbers(seed)
    const someBudgets = (): Budget[] =>
      Array.from({ length: random(3) }, () => ({ limit: 1 + random(1000), seconds: 1 + random(200_000) }))
    const cases = Array.from({ length: 2000 }, (_, n) => ({
      digits: digitCounts[n % 3] ?? 6,
      window: random(121),
      risk: n % 50 === 0 ? Infinity : 10 ** (random(140) / 10 - 10.5),
      ...(n % 2 === 0 && { budgets: someBudgets() }),
    }))
    const told = cases.map(({ risk, budgets, ...rest }) => ({
      ...rest,
      risk: risk === Infinity ? 'Infinity' : risk,
      ...(budgets && { budgets: budgets.map(({ limit, seconds }) => [limit, seconds]) }),
    }))
    const ours = cases.map((given) => ({
      byRisk: limitsOf(given, () => limitsFor(given, given.risk)),
      byBudgets: limitsOf(given, () => budgetsByDigits(given, given.window)(given.digits)),
    }))
    expect(await new PythonStates().ask({ limits: told }), `SCHEDULE=${seed}`).toEqual(ours)
    expect(new Set(ours.map(({ byBudgets }) => typeof byBudgets)).size).toBe(2)
  })

  it('know sources as ours do', async () => {
    const random = numbers(seed)
    const parts = [
      '',
      ':',
      '::',
      'ffff',
      '64:ff9b::',
      '192.0.2.1',
      '[',
      ']',
      ':443',
      '%eth0',
      '2001:db8',
      '.',
      '0',
      'x'.repeat(65),
    ]
    const sources = Array.from({ length: 3000 }, () =>
      Array.from({ length: 1 + random(5) }, () => parts[random(parts.length)]).join(''),
    )
    expect(await new PythonStates().ask({ sources })).toEqual(sources.map(sourceKey))
  })

  it('ask Redis by the same keys and with the same arguments', async () => {
    const late: LateCode = { drift: 5, timeStep: someStep + 5 }
    const budgets = [{ limit: 3, seconds: 30 }]
    const at = new Date(inStep(someStep).getTime() + 123)
    const listed = { token: 'sha256:aa', liveTokens: () => ['sha256:aa'] }
    const attempts: Attempt[] = [
      rightCode(someStep, { at, budgets }),
      rightCode(someStep + 1, { at, policy: 'reuse', seeds: ['old', 'new'], seed: 'new', ...listed }),
      wrongCode('123456', at, { budgets, seeds: ['old', 'new'], ...listed }),
      wrongCode('123456', at, { peer: 'böb', seeds: [], window: 2, period: 45 }),
      signed(someStep, { at, budgets, ...listed }),
      signed(someStep, { at, policy: 'reuse', window: 0, period: 15 }),
    ]
    const asked = await new PythonStates().ask({ questions: attempts.map(asJson), late })
    expect(asked).toEqual(
      attempts.map((attempt) => ({
        keys: decideKeys('p', attempt),
        question: questionOf(attempt, 240_000),
        takeBackKeys: takeBackKeys('p', attempt),
        takeBack: takeBackQuestionOf(attempt, late),
      })),
    )
  })

  it('decide a random sequence as ours do, to the second to come back, in memory', async () => {
    const theirs = await new PythonStates().make({ since: 0 })
    const both = bothOf([memoryState({ since: new Date(0) }), theirs])
    expect([...(await runSchedule(both, { seed, steps })).keys()].sort()).toEqual(allAnswers)
  })

  it('begin their memory as ours do', async () => {
    const random = numbers(seed)
    const python = new PythonStates()
    const kinds = new Set<string>()
    for (let round = 0; round < 20; round++) {
      const since = new Date(inStep(someStep, 0).getTime() + random(60_000))
      const both = bothOf([memoryState({ since }), await python.make({ since: since.getTime() })])
      for (let n = 0; n < 20; n++) {
        const at = new Date(since.getTime() + random(120_000) - 20_000)
        const given = { at, window: random(3) }
        const timeStep = Math.floor(at.getTime() / 30_000) + random(3) - 1
        const created = Math.floor(at.getTime() / 1000) - random(60)
        const attempt = n % 2 === 0 ? rightCode(timeStep, given) : signed(timeStep, { ...given, created })
        kinds.add((await both.decide(attempt)).kind)
      }
    }
    expect([...kinds].sort()).toEqual(['accepted', 'replayed', 'unknown'])
  })

  it(
    'decide a random sequence as ours do, in Redis, each with a memory of its own or with one for both',
    { skip: !hasRedis({ requiredInCi: true }) },
    async () => {
      const server = await RedisServer.start()
      const client = await clients.ioredis(server.port)
      onTestFinished(async () => {
        client.close()
        await server.stop()
      })
      const python = new PythonStates()
      const [shared, one, other] = [randomUUID(), randomUUID(), randomUUID()]
      const ours = (prefix: string): State => redisState(client.port, { prefix, timeoutMs: 20_000 })
      const theirs = (prefix: string): Promise<State> => python.make({ port: server.port, prefix })
      // The first question to a new Redis begins its memory anew.
      await ours(randomUUID()).decide(rightCode(someStep))
      for (const prefix of [shared, one, other]) await client.command('SET', `{${prefix}}:begun`, '0')

      const alike = bothOf([ours(one), await theirs(other)])
      expect([...(await runSchedule(alike, { seed, steps })).keys()].sort()).toEqual(allAnswers)
      const mixed = inTurnOf([ours(shared), await theirs(shared)])
      expect([...(await runSchedule(mixed, { seed, steps })).keys()].sort()).toEqual(allAnswers)
    },
  )
})

function limitsOf(
  profile: Parameters<typeof riskOf>[1],
  make: () => readonly Budget[],
): string | { readonly limits: number[][]; readonly risk: number | string } {
  let budgets: readonly Budget[]
  try {
    budgets = make()
  } catch {
    return failureOf(make).code
  }
  const risk = riskOf(budgets, profile)
  return {
    limits: budgets.map(({ limit, seconds }) => [limit, seconds]),
    risk: risk === Infinity ? 'Infinity' : risk,
  }
}

/** Asks both, and insists on one answer. */
function bothOf(states: readonly [State, State]): State {
  const same = async <T>(ask: (state: State) => T | Promise<T>): Promise<T> => {
    const [ours, theirs] = await Promise.all([ask(states[0]), ask(states[1])])
    expect(theirs).toEqual(ours)
    return ours
  }
  return {
    supports: states[0].supports,
    decide: (attempt) => same<Decision>((state) => state.decide(attempt)),
    takeBack: (attempt, late) => same<boolean>((state) => state.takeBack?.(attempt, late) ?? false),
  }
}

/** Asks one after the other, as callers of two replicas do. */
function inTurnOf(states: readonly [State, State]): State {
  let turn = 0
  const next = (): State => states[turn++ % 3 === 0 ? 0 : 1]
  return {
    supports: states[0].supports,
    decide: (attempt) => next().decide(attempt),
    takeBack: async (attempt, late) => (await next().takeBack?.(attempt, late)) ?? false,
  }
}
