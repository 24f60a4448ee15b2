import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

describeStack('crewai', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('crewai')
    const { origin } = await serveStack('crewai', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 0.3'])
  })

  it.each(clientRuns)('a crew that delegates is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('crewai', init)
    const { origin } = await serveStack('crewai', cwd)
    const printed = await runAs('crewai', 'bob', { cwd, url: origin })
    // crewAI prints its own remarks among them.
    const answers = printed.filter((line) => line.startsWith('heard'))
    expect(answers).toEqual(['heard: What is due?', 'heard: And in May?'])
  })

  it('copies of configs with auth= work (model_copy(deep=True)), and share what was spent', async () => {
    const cwd = await makeStackFolder('crewai', ['--replay', 'once'])
    const url = 'https://billing.example'
    const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
    expect(await runAs('crewai', 'alice', { cwd, url, program: 'copies.py', env })).toEqual(['alice', '401'])
  })
})
