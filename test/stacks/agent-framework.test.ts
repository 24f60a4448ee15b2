import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

const answers = ['heard: What is due?', 'heard: And in May?']

describeStack('agent-framework', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('agent-framework')
    const { origin } = await serveStack('agent-framework', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 1.0'])
  })

  it.each(clientRuns)('a client with http_client= is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('agent-framework', init)
    const { origin } = await serveStack('agent-framework', cwd)
    expect(await runAs('agent-framework', 'bob', { cwd, url: origin })).toEqual(answers)
  })

  it('a client with auth_interceptor= is let in twice in a row', async () => {
    const cwd = await makeStackFolder('agent-framework')
    const { origin } = await serveStack('agent-framework', cwd)
    const program = 'interceptor_client.py'
    expect(await runAs('agent-framework', 'bob', { cwd, url: origin, program })).toEqual(answers)
  })
})
