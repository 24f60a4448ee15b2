import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

describeStack('ag2', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('ag2')
    const { origin } = await serveStack('ag2', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 1.0'])
  })

  it.each(clientRuns)('a client is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('ag2', init)
    const { origin } = await serveStack('ag2', cwd)
    expect(await runAs('ag2', 'bob', { cwd, url: origin })).toEqual([
      'heard: What is due?',
      'heard: And in May?',
    ])
  })
})
