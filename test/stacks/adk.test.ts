import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { startBinary } from '../support/cli.js'
import { firstLineOf, lastLineOf } from '../support/python.js'
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

/** What the page takes from its reader, with a model that repeats the last message and needs no network. */
const agent = `
from collections.abc import AsyncGenerator

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.genai import types


class Parrot(BaseLlm):
    async def generate_content_async(self, request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        texts = [part.text for part in request.contents[-1].parts or []]
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=f"you said: {texts[-1]}")]))


root_agent = LlmAgent(name="billing", description="Repeats.", model=Parrot(model="parrot"))
`

describeStack('adk', () => {
  async function start(): Promise<{ folder: StackFolder; origin: string }> {
    const folder = await makeStackFolder()
    writeProgramsOf('adk', folder.cwd)
    writeFileSync(join(folder.cwd, 'agent.py'), agent)
    const { origin } = await serveApp('adk', 'server:app', folder.server)
    return { folder, origin }
  }

  const callBy = (folder: StackFolder, peer: 'alice' | 'bob', card: string): Promise<string> => {
    const env = { ...folder.variablesOf(peer), CARD_URL: card }
    return lastLineOf(startInStack('adk', [join(folder.cwd, 'client.py')], { path: folder.cwd, env }))
  }

  it('to_a2a as on the page, probed', async () => {
    const { folder, origin } = await start()
    expect(await probeStack(folder, origin, '--isolation', '--other-peer', 'bob')).toEqual({
      findings: [],
      cells: ['jsonrpc 0.3', 'jsonrpc 1.0'],
      exitCode: 0,
    })
  })

  it("bob can neither read, nor list, nor continue alice's task", async () => {
    const { folder, origin } = await start()
    const alice = await folder.headersOf('alice')
    const bob = await folder.headersOf('bob')
    const sent = await callRpc(origin, alice, 'SendMessage', messageOf('for alice alone'))
    const { task } = sent.result as { task: { id: string; contextId: string } }
    expect(JSON.stringify(task)).toContain('you said: for alice alone')
    expect(await callRpc(origin, alice, 'GetTask', { id: task.id })).toHaveProperty('result.id', task.id)
    expect(await callRpc(origin, bob, 'GetTask', { id: task.id })).toHaveProperty('error.code', -32001)
    expect(JSON.stringify(await callRpc(origin, alice, 'ListTasks', {}))).toContain(task.id)
    expect(JSON.stringify(await callRpc(origin, bob, 'ListTasks', {}))).not.toContain(task.id)
    const more = messageOf('and?', { taskId: task.id, contextId: task.contextId })
    expect(await callRpc(origin, bob, 'SendMessage', more)).toHaveProperty('error')
    expect(await callRpc(origin, {}, 'GetTask', { id: task.id })).toHaveProperty('status', 401)
  })

  it('RemoteA2aAgent as on the page calls it', async () => {
    const { folder, origin } = await start()
    const card = `${origin}/.well-known/agent-card.json`
    expect(await callBy(folder, 'alice', card)).toBe('you said: hello')
  })

  it('RemoteA2aAgent calls the demo without gRPC, by the URL of its card', async () => {
    const folder = await makeStackFolder()
    writeProgramsOf('adk', folder.cwd)
    const demo = startBinary(['--quiet', 'demo', '--bindings', 'jsonrpc,rest'], { cwd: folder.cwd })
    expect(await callBy(folder, 'bob', await firstLineOf(demo))).toBe('bob said: hello')
  })

  it('RemoteA2aAgent refuses the host:port of gRPC in a card, as the page says', async () => {
    const folder = await makeStackFolder()
    writeProgramsOf('adk', folder.cwd)
    const demo = startBinary(['--quiet', 'demo'], { cwd: folder.cwd })
    await expect(callBy(folder, 'bob', await firstLineOf(demo))).rejects.toThrow('RPC URL')
  })
})
