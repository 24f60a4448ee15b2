import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { AuthEvent } from '../../src/server/index.js'
import { Clock, requestWith, schemeFor } from '../support/guarded.js'
import { numbers } from '../support/numbers.js'
import { momentsOf, welchT } from '../support/welch.js'

const rounds = 20_000
const warmUp = 2000

const tokenOf = (name: string): string =>
  `a2at_${createHash('sha256').update(name).digest().toString('base64url')}`

it('a canary is refused in the time of an unknown token, though its use is reported', async () => {
  const clock = new Clock()
  const events: AuthEvent[] = []
  const { scheme } = schemeFor(clock, {
    canaries: [{ name: 'trap', id: 'c1', token: tokenOf('canary') }],
    throttle: { strangers: { perMinute: 1_000_000 } },
    onEvent: (event) => {
      if (event.type === 'canary_used') events.push(event)
    },
  })
  const random = numbers(20_261_129)
  const samples = { canary: [] as number[], unknown: [] as number[] }
  for (let round = 0; round < warmUp + rounds; round++) {
    // Each use of the canary is reported.
    clock.advance(60)
    const kinds = random(2) === 0 ? (['canary', 'unknown'] as const) : (['unknown', 'canary'] as const)
    for (const kind of kinds) {
      const token = kind === 'canary' ? tokenOf('canary') : tokenOf(`stranger-${round}`)
      const request = requestWith({ Authorization: `Bearer ${token}`, 'X-TOTP': '918273' })
      const begin = process.hrtime.bigint()
      await scheme.authenticate(request)
      const took = Number(process.hrtime.bigint() - begin)
      // The answer is on its way; now the event is emitted.
      await turn()
      if (round >= warmUp) samples[kind].push(took)
    }
  }
  expect(events).toHaveLength(warmUp + rounds)
  const limit = [...samples.canary, ...samples.unknown].sort((a, b) => a - b)[Math.floor(rounds * 1.9)] ?? 0
  const [canary, unknown] = [samples.canary, samples.unknown].map((all) =>
    momentsOf(all.filter((took) => took < limit)),
  )
  if (!canary || !unknown) throw new Error('nothing was measured')
  const spread = canary.mean / unknown.mean - 1
  const t = Math.abs(welchT(canary, unknown))
  console.log(
    `${rounds} of each: |t| ${t.toFixed(2)}; without the slowest twentieth ` +
      `a canary takes ${unknown.mean.toFixed(0)} ns and ${(spread * 100).toFixed(1)} % more`,
  )
  expect(t).toBeLessThan(4.5)
  expect(Math.abs(spread)).toBeLessThan(0.15)
})
