import { expect, it } from 'vitest'
import { cellsProbed, clientRuns, makeStackFolder, runAs, serveStack } from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

describeStack('a2a-python-0.3', () => {
  it('an agent passes the probe over all bindings, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('a2a-python-0.3')
    const { origin } = await serveStack('a2a-python-0.3', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['grpc 0.3', 'jsonrpc 0.3', 'rest 0.3'])
  })

  it.each(clientRuns)('a client is let in over all bindings, %s', async (_, init) => {
    const cwd = await makeStackFolder('a2a-python-0.3', init)
    const { origin } = await serveStack('a2a-python-0.3', cwd)
    expect(await runAs('a2a-python-0.3', 'bob', { cwd, url: origin })).toEqual(
      ['JSONRPC', 'HTTP+JSON', 'GRPC'].map((binding) => `bob said: hello over ${binding}`),
    )
  })
})
