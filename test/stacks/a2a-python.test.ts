import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

describeStack('a2a-python', () => {
  it('an agent passes the probe over all bindings, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('a2a-python')
    const { origin } = await serveStack('a2a-python', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['grpc 1.0', 'jsonrpc 1.0', 'rest 1.0'])
  })

  it.each(clientRuns)('a client is let in over all bindings, %s', async (_, init) => {
    const cwd = await makeStackFolder('a2a-python', init)
    const { origin } = await serveStack('a2a-python', cwd)
    expect(await runAs('a2a-python', 'bob', { cwd, url: origin })).toEqual(
      ['JSONRPC', 'HTTP+JSON', 'GRPC'].map((binding) => `bob said: hello over ${binding}`),
    )
  })
})
