import { expect, it } from 'vitest'
import { hasRedis } from '../support/redis-server.js'
import { leaks } from '../support/soak/holdings.js'
import { explained, textOf } from '../support/soak/report.js'
import { soak } from '../support/soak/soak.js'

const minutes = Number(process.env['SOAK_MINUTES'] ?? 30)
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000)

/** In less, the nonces of a lifetime have not piled up when the middle third begins. */
const leaksFromMinutes = 5

it.skipIf(!hasRedis())(
  'gate, proxy and demo leak nothing, refuse no good call but for what the docs allow, and accept no bad one',
  { timeout: (minutes + 10) * 60_000 },
  async () => {
    console.log(`soak of ${minutes} minutes, SOAK_SEED=${seed}`)
    const report = await soak(minutes * 60_000, seed)
    console.log(textOf(report))
    const { failures } = report.record
    console.log(`${failures.length} failures\n${explained(report, failures, 10).join('\n\n')}`)
    expect(failures.map(({ what }) => what)).toEqual([])
    if (minutes >= leaksFromMinutes) expect(leaks(report.samples)).toEqual([])
  },
)
