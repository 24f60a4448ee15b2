import { describe, expect, it } from 'vitest'
import type { Quirks } from '../support/broken-agent.js'
import { probeAgent, type Probing } from '../support/probing.js'

/** Hangs up on everything after so many calls, as an agent does that was stopped. */
const stopsAfter = (calls: number): Quirks => {
  let count = 0
  return {
    answers: (response) => {
      count += 1
      if (count <= calls) return false
      response.destroy()
      return true
    },
  }
}

const served = (type: string, text: string): Quirks => ({
  answers: (response) => {
    response.writeHead(200, { 'Content-Type': type }).end(text)
    return true
  },
})

const said = async (probing: Promise<Probing>): Promise<string> => (await probing).report.diagnosis ?? ''

describe('the diagnosis of what was not answered', () => {
  it('says that the agent stopped, and not that wrong codes are let in', async () => {
    const { report } = await probeAgent(stopsAfter(30))
    expect(report.ok).toBe(false)
    expect(report.diagnosis).toMatch(/^the agent stopped answering during the run: /)
    expect(report.explain).toBe('reach')
  })

  it('says that no A2A endpoint answers, and not that credentials are refused', async () => {
    const page = await said(probeAgent(served('text/html', '<html>hello</html>')))
    expect(page).toMatch(/^no A2A endpoint answers here: HTTP 200, an HTML page \(/)
  })

  it('says that no card was read, and not that it names interfaces which were not shown', async () => {
    const { report } = await probeAgent({ card: () => ({ name: 'x' }) }, { path: '/rpc' })
    expect(report.diagnosis).toMatch(/^no card was read /)
    expect(report.explain).toBe('card.fetch')
  })
})
