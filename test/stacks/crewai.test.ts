import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

describeStack('crewai', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('crewai', [], ['a2a-python-0.3'])
    const { origin } = await serveStack('crewai', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 0.3'])
  })

  it.each(clientRuns)('a crew that delegates is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('crewai', init, ['a2a-python-0.3'])
    const { origin } = await serveStack('crewai', cwd)
    const printed = await runAs('crewai', 'bob', { cwd, url: origin })
    // crewAI prints its own remarks among them.
    const answers = printed.filter((line) => line.startsWith('heard'))
    expect(answers).toEqual(['heard: What is due?', 'heard: And in May?'])
  })
})
