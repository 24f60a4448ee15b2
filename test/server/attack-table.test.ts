import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { signedPolicies, type SignedPolicy } from '../../src/core/proof/profile.js'
import type { ReplayPolicy } from '../../src/core/profile.js'
import { Clock, codeOf, peers, schemeFor, wrongCodeOf } from '../support/guarded.js'
import { agent } from '../support/proof-of.js'
import { received, signed, signedOptions, stripped, type Sent } from '../support/signed.js'

/** An agent under the policies, what it served, and the request that the attacker captured and that was served. */
async function attacked(replay: ReplayPolicy, policy: SignedPolicy) {
  const clock = new Clock()
  const agentNamed = (name: string) => {
    const { scheme } = schemeFor(clock, { ...signedOptions(policy, replay), agent: name })
    return async (sent: Sent): Promise<boolean> => {
      const { request, seen, arrive } = received(sent)
      const { caller } = await scheme.authenticate(request)
      arrive()
      return caller !== undefined && seen.refusal === undefined
    }
  }
  const serves = agentNamed(agent)
  const captured = signed()
  expect(await serves(captured)).toBe(true)
  /** As many requests, each signed anew, and how many of them are served. */
  const servesOf = async (count: number): Promise<number> => {
    let served = 0
    for (let n = 0; n < count; n++) if (await serves(signed({ at: clock.at }))) served++
    return served
  }
  const guess = (n: number): Promise<boolean> => serves(stripped(signed({ code: wrongCodeOf(clock.at, n) })))
  return { clock, serves, servesOf, captured, guess, otherAgent: agentNamed('shipping') }
}

type Attacked = Awaited<ReturnType<typeof attacked>>

const yesOrNo = (served: boolean): string => (served ? 'yes' : 'no')
const otherBody = '{"jsonrpc":"2.0","method":"DeleteEverything"}'

/** What is tried in each row, each time at a new agent. */
const tries: Readonly<Record<string, (at: Attacked) => Promise<string>>> = {
  'same again': async ({ serves, captured }) => yesOrNo(await serves(captured)),
  'stripped, same body': async ({ serves, captured }) => yesOrNo(await serves(stripped(captured))),
  'stripped, new body': async ({ serves, captured }) =>
    yesOrNo(await serves({ ...stripped(captured), body: otherBody })),
  'kept, new body': async ({ serves, captured }) => yesOrNo(await serves({ ...captured, body: otherBody })),
  'kept, new path': async ({ serves, captured }) => yesOrNo(await serves({ ...captured, target: '/admin' })),
  'kept, at an agent with the same seed': async ({ otherAgent, captured }) =>
    yesOrNo(await otherAgent(captured)),
  'stripped, at an agent with the same seed': async ({ otherAgent, captured }) =>
    yesOrNo(await otherAgent(stripped(captured))),
  'stripped, new body, next step': async ({ serves, captured, clock }) => {
    clock.advance(30)
    return yesOrNo(await serves({ ...stripped(captured), body: otherBody }))
  },
  'guess of a thief, throttled': async ({ guess }) => {
    for (let n = 0; n < 6; n++) await guess(n)
    return yesOrNo(await guess(6))
  },
  'honest: signed, 5 in a step': async ({ servesOf, clock }) => {
    clock.advance(60)
    return `${await servesOf(5)} of 5`
  },
  'honest: signed, throttled': async ({ guess, serves, clock }) => {
    clock.advance(60)
    for (let n = 0; n < 6; n++) await guess(n)
    return yesOrNo(await serves(signed({ at: clock.at })))
  },
  'honest: plain, same step': async ({ serves, clock }) => {
    const code = codeOf('alice', clock.at)
    return yesOrNo(await serves(stripped(signed({ code, token: peers.alice.token }))))
  },
}

const no = 'no'
const yes = 'yes'
/** What contract and threat model promise of each row, in the order of `tries`. */
const promised: Readonly<Record<string, readonly string[]>> = {
  'reuse, off': [yes, yes, yes, yes, yes, yes, yes, yes, no, '5 of 5', no, yes],
  'reuse, observe': [yes, yes, yes, yes, yes, yes, yes, yes, no, '5 of 5', no, yes],
  'reuse, accept': [no, yes, yes, no, no, no, yes, yes, no, '5 of 5', yes, yes],
  'reuse, require': [no, no, no, no, no, no, no, no, no, '5 of 5', yes, no],
  'once, off': [no, no, no, no, no, yes, yes, no, no, '1 of 5', no, no],
  'once, observe': [no, no, no, no, no, yes, yes, no, no, '1 of 5', no, no],
  'once, accept': [no, no, no, no, no, no, yes, no, no, '5 of 5', yes, no],
  'once, require': [no, no, no, no, no, no, no, no, no, '5 of 5', yes, no],
}

/** A table as prettier writes it. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

describe('a captured request that was served', () => {
  it('is worth under each policy what SECURITY.md says', async () => {
    const columns: string[][] = []
    for (const replay of ['reuse', 'once'] as const) {
      for (const policy of signedPolicies) {
        const cells: string[] = []
        for (const attempt of Object.values(tries)) cells.push(await attempt(await attacked(replay, policy)))
        columns.push([`${replay}, ${policy}`, ...cells])
      }
    }
    const names = ['', ...Object.keys(tries)]
    const table = tableOf(names.map((name, row) => [name, ...columns.map((column) => column[row] ?? '')]))
    console.log(table)
    expect(Object.fromEntries(columns.map(([name, ...cells]) => [name, cells]))).toEqual(promised)
    const page = readFileSync(new URL('../../SECURITY.md', import.meta.url), 'utf8')
    expect(page).toContain(table)
  })
})
