import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { RefusedProofs, type RefusedProof } from '../../src/server/scheme/refused-proofs.js'
import { Clock } from '../support/guarded.js'

function watched() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = new Clock()
  const emitted: RefusedProof[] = []
  const proofs = new RefusedProofs((event) => emitted.push(event), clock.now)
  const refuse = (peer: string, count = 1): void => {
    for (let n = 0; n < count; n++)
      proofs.add({ type: 'refused', at: clock.at, binding: 'http', reason: 'proof-mac', peer })
  }
  /** What was emitted since the last call. */
  const news = () => emitted.splice(0).map(({ peer, count }) => `${peer} ${count}`)
  return { clock, proofs, refuse, news }
}

describe('refused proofs that are held back', () => {
  it('are emitted once when the scheme is closed, and nothing is for a peer without any', () => {
    const { proofs, refuse, news } = watched()
    refuse('alice')
    refuse('bob', 3)
    expect(news()).toEqual(['alice 1', 'bob 1'])
    proofs.close()
    expect(news()).toEqual(['bob 2'])
    proofs.close()
    vi.runAllTimers()
    expect(news()).toEqual([])
  })

  it('wait for a second after the last event, however often the scheme is closed meanwhile', () => {
    const { clock, proofs, refuse, news } = watched()
    refuse('alice')
    clock.advance(0.9)
    proofs.close()
    clock.advance(0.1)
    refuse('alice')
    expect(news()).toEqual(['alice 1', 'alice 1'])
  })

  it('are emitted at once where the clock was set back by a second', () => {
    const { clock, refuse, news } = watched()
    refuse('alice')
    clock.advance(-1)
    refuse('alice')
    expect(news()).toEqual(['alice 1', 'alice 1'])
  })

  it('leave no event without refusals where a thousand other peers take their place', () => {
    const { refuse, news } = watched()
    refuse('alice')
    refuse('bob', 2)
    expect(news()).toEqual(['alice 1', 'bob 1'])
    for (let n = 0; n < 1000; n++) refuse(`peer ${n}`)
    const all = news()
    expect(all.filter((one) => /^(alice|bob) /.test(one))).toEqual(['bob 1'])
    expect(all).toHaveLength(1001)
    expect(vi.getTimerCount()).toBe(0)
  })
})
