import { describe, expect, it } from 'vitest'
import { HolderJudge } from '../../../src/store/lock/holder-judge.js'
import type { LockFile } from '../../../src/store/lock/lock-file.js'
import type { ProcessTable } from '../../../src/store/lock/process-identity.js'
import { here } from '../../support/store-locks.js'

/** A judge whose process table takes everybody for dead, with its clock. */
function makeJudge(place: string | undefined): { judge: HolderJudge; clock: { ms: number } } {
  const clock = { ms: 0 }
  const self = { ...here, place, host: 'host-a', nonce: 'self' }
  const processes: ProcessTable = { self: () => self, livenessOf: () => 'dead' }
  return { clock, judge: new HolderJudge(self, processes, 10_000, () => clock.ms) }
}

const fileOf = (place: string | undefined, heartbeat = 'beat'): LockFile => ({
  path: '/store/.a2a-totp.json.lock-1',
  number: 1,
  holder: { ...here, place, host: 'host-a', nonce: 'other' },
  heartbeat,
})

describe('the judge of holders', () => {
  it('counts a silent one as dead once all of the time that it may be silent is over', () => {
    const { judge, clock } = makeJudge('here')
    const file = fileOf('elsewhere')
    expect(judge.firstLiving([file])).toBe(file)
    clock.ms = 9999
    expect(judge.firstLiving([file])).toBe(file)
    clock.ms = 10_000
    expect(judge.firstLiving([file])).toBeUndefined()
  })

  it('measures the silence anew from each sign of life', () => {
    const { judge, clock } = makeJudge('here')
    judge.firstLiving([fileOf('elsewhere', 'first')])
    clock.ms = 10_000
    const file = fileOf('elsewhere', 'second')
    expect(judge.firstLiving([file])).toBe(file)
    clock.ms = 19_999
    expect(judge.firstLiving([file])).toBe(file)
    clock.ms = 20_000
    expect(judge.firstLiving([file])).toBeUndefined()
  })

  it('asks the process table about holders in its own place alone', () => {
    const { judge } = makeJudge('here')
    expect(judge.firstLiving([fileOf('here')])).toBeUndefined()
    expect(judge.firstLiving([fileOf('elsewhere')])).toBeDefined()
    expect(judge.firstLiving([fileOf(undefined)])).toBeDefined()
  })

  it('asks it about nobody when it does not know its own place', () => {
    const { judge } = makeJudge(undefined)
    expect(judge.firstLiving([fileOf(undefined)])).toBeDefined()
    expect(judge.firstLiving([fileOf('elsewhere')])).toBeDefined()
  })
})
