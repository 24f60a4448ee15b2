import { expect, it } from 'vitest'
import {
  callerAs,
  cellsProbed,
  clientRuns,
  makeStackFolder,
  runAs,
  serveStack,
} from '../support/stack-agents.js'
import { describeStack } from '../support/stacks.js'

const message = (text: string, contextId: string): object => ({
  message: { messageId: text, role: 'user', contextId, parts: [{ kind: 'text', text }] },
})

describeStack('strands', () => {
  it('an agent passes the probe, and keeps the tasks of two peers apart', async () => {
    const cwd = await makeStackFolder('strands')
    const { origin } = await serveStack('strands', cwd)
    expect(await cellsProbed(cwd, origin)).toEqual(['jsonrpc 0.3'])
  })

  it('an agent keeps the conversations of two peers apart', async () => {
    const cwd = await makeStackFolder('strands')
    const { origin } = await serveStack('strands', cwd)
    const [alice, bob] = [await callerAs(cwd, 'alice', origin), await callerAs(cwd, 'bob', origin)]
    expect(JSON.stringify(await alice('message/send', message('one', 'c1')))).toContain('heard: one"')
    expect(await bob('message/send', message('two', 'c1'))).toMatchObject({ error: { code: -32602 } })
    expect(JSON.stringify(await bob('message/send', message('two', 'c2')))).toContain('heard: two"')
    // So hers goes on, and has nothing of his.
    expect(JSON.stringify(await alice('message/send', message('three', 'c1')))).toContain(
      'heard: one, three"',
    )
  })

  it.each(clientRuns)('a client is let in %s', async (_, init) => {
    const cwd = await makeStackFolder('strands', init)
    const { origin } = await serveStack('strands', cwd)
    expect(await runAs('strands', 'bob', { cwd, url: origin })).toEqual([
      'heard: What is due?',
      'heard: And in May?',
    ])
  })
})
