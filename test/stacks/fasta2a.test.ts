import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lastLineOf } from '../support/python.js'
import {
  callRpc,
  describeStack,
  makeStackFolder,
  messageOf,
  probeStack,
  serveApp,
  startInStack,
  writeProgramsOf,
  type StackFolder,
} from '../support/stacks.js'

describeStack('fasta2a', () => {
  async function start(): Promise<{ folder: StackFolder; origin: string }> {
    const folder = await makeStackFolder()
    writeProgramsOf('fasta2a', folder.cwd)
    const { origin } = await serveApp('fasta2a', 'server:app', folder.server)
    return { folder, origin }
  }

  it('the server of the page, probed', async () => {
    const { folder, origin } = await start()
    const isolation = ['--isolation', '--other-peer', 'bob']
    expect(await probeStack(folder, origin, ...isolation)).toEqual({
      findings: [],
      cells: ['jsonrpc 1.0'],
      exitCode: 0,
    })
  })

  it('the client of the page calls it', async () => {
    const { folder, origin } = await start()
    const env = { ...folder.variablesOf('alice'), AGENT_URL: origin }
    const id = await lastLineOf(
      startInStack('fasta2a', [join(folder.cwd, 'client.py')], { path: folder.cwd, env }),
    )
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
  })

  it("bob can neither read alice's task nor continue her conversation", async () => {
    const { folder, origin } = await start()
    const alice = await folder.headersOf('alice')
    const bob = await folder.headersOf('bob')
    const sent = await callRpc(origin, alice, 'SendMessage', messageOf('for alice alone'))
    const { task } = sent.result as { task: { id: string; contextId: string } }
    const more = messageOf('what did she say?', { contextId: task.contextId })
    expect(await callRpc(origin, alice, 'SendMessage', more)).toHaveProperty('result')
    expect(await callRpc(origin, bob, 'SendMessage', more)).toEqual({ status: 404 })
    expect(await callRpc(origin, alice, 'GetTask', { id: task.id })).toHaveProperty('result.id', task.id)
    expect(await callRpc(origin, bob, 'GetTask', { id: task.id })).toHaveProperty('error.code', -32001)
    expect(await callRpc(origin, {}, 'GetTask', { id: task.id })).toHaveProperty('status', 401)
  })
})
