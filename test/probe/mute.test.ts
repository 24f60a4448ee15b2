import { describe, expect, it } from 'vitest'
import { probeAgent } from '../support/probing.js'

describe('an agent that answers no call is not called open', () => {
  it('where it hangs up', async () => {
    const { report } = await probeAgent({
      answers: (response) => {
        response.destroy()
        return true
      },
    })
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toMatch(/^right credentials get no answer that can be read: /)
    expect(report.explain).toBe('auth.valid')
  })

  it('where its answers have no end', async () => {
    const { report } = await probeAgent({
      answers: (response) => {
        response.writeHead(401, { 'Content-Type': 'application/json' }).end(' '.repeat(200_000))
        return true
      },
    })
    expect(report.diagnosis).toContain('the answer is longer than')
  })
})
