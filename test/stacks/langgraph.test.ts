import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { lastLineOf } from '../support/python.js'
import { startSidecar } from '../support/sidecar-chain.js'
import {
  callRpc,
  describeStack,
  makeStackFolder,
  messageOf,
  probeStack,
  saidBy,
  startInStack,
  writeProgramsOf,
  type StackFolder,
} from '../support/stacks.js'
import { freePort } from '../support/free-ports.js'

/** What the page takes from its reader. */
const graph = `
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict:
    return {"messages": [AIMessage(f"you said: {state['messages'][-1].content}")]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
graph = builder.compile()
`

const program = fileURLToPath(new URL('../../.venvs/stacks/langgraph/bin/langgraph', import.meta.url))

/** Nothing that the server would ask or tell the network. */
const offline = {
  LANGSMITH_TRACING: 'false',
  LANGGRAPH_NO_VERSION_CHECK: 'true',
  LANGGRAPH_CLI_NO_ANALYTICS: '1',
}

describeStack('langgraph', () => {
  /** `langgraph dev`, as the page has it. */
  async function start({
    init = [],
    isBehindGate = false,
  }: { init?: readonly string[]; isBehindGate?: boolean } = {}): Promise<{
    folder: StackFolder
    origin: string
    agent: string
  }> {
    const folder = await makeStackFolder(init)
    const { cwd } = folder
    writeProgramsOf('langgraph', cwd)
    if (isBehindGate) {
      const config = join(cwd, 'langgraph.json')
      writeFileSync(config, readFileSync(config, 'utf8').replace('./auth.py:', './behind_gate.py:'))
    }
    writeFileSync(join(cwd, 'graph.py'), graph)
    const options = ['--no-browser', '--no-reload', '--server-log-level', 'INFO']
    const args = [program, 'dev', ...options, '--port', String(await freePort())]
    const env = { ...folder.server.env, ...offline }
    const server = startInStack('langgraph', args, { cwd, path: cwd, env })
    const [, origin = ''] = await saidBy(server, /Uvicorn running on (http:\/\/[\d.:]+)/)
    const card = (await (await fetch(`${origin}/.well-known/agent-card.json`)).json()) as {
      supportedInterfaces: [{ url: string }]
    }
    return { folder, origin, agent: card.supportedInterfaces[0].url }
  }

  it('langgraph dev as on the page, probed', async () => {
    const { folder, origin } = await start()
    expect(await probeStack(folder, origin, '--isolation', '--other-peer', 'bob')).toEqual({
      findings: [],
      cells: ['jsonrpc 1.0'],
      exitCode: 0,
    })
  })

  it("bob can neither read, nor list, nor continue alice's task", async () => {
    const { folder, origin, agent } = await start()
    const alice = await folder.headersOf('alice')
    const bob = await folder.headersOf('bob')
    const sent = await callRpc(agent, alice, 'SendMessage', messageOf('for alice alone'))
    const { task } = sent.result as { task: { id: string; contextId: string } }
    expect(JSON.stringify(task)).toContain('you said: for alice alone')
    expect(await callRpc(agent, alice, 'GetTask', { id: task.id })).toHaveProperty('result.id', task.id)
    expect(await callRpc(agent, bob, 'GetTask', { id: task.id })).toHaveProperty('error')
    for (const params of [{}, { contextId: task.contextId }])
      expect(JSON.stringify(await callRpc(agent, bob, 'ListTasks', params))).not.toContain('for alice alone')
    const more = messageOf('and?', { contextId: task.contextId })
    expect(await callRpc(agent, bob, 'SendMessage', more)).toHaveProperty('error')
    // Besides A2A the server has an interface of its own.
    const thread = `${origin}/threads/${task.contextId}`
    expect((await fetch(thread, { headers: alice })).status).toBe(200)
    expect((await fetch(thread, { headers: bob })).status).toBe(404)
    expect((await fetch(thread)).status).toBe(401)
  })

  it('is no door for the scheme of Studio, and says how to come in', async () => {
    const { agent } = await start()
    const studio = { 'X-Auth-Scheme': 'langsmith', 'X-Api-Key': 'any' }
    const response = await fetch(agent, { method: 'POST', headers: studio, body: '{}' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('TOTP realm="a2a", header="X-TOTP"')
  })

  it('the client of the page calls it', async () => {
    const { folder, agent } = await start()
    const env = { ...folder.variablesOf('alice'), AGENT_URL: agent }
    const args = [join(folder.cwd, 'client.py')]
    expect(await lastLineOf(startInStack('langgraph', args, { path: folder.cwd, env }))).toBe(
      'you said: hello',
    )
  })

  it('behind the gate it takes the peer from there, and every request is signed', async () => {
    const { folder, origin, agent } = await start({ init: ['--strict'], isBehindGate: true })
    expect((await fetch(agent, { method: 'POST', body: '{}' })).status).toBe(401)
    const gate = await startSidecar(folder.cwd, 'gate', [
      ...['--upstream', origin, '--server-file', 'server.json', '--listen', '127.0.0.1:0'],
    ])
    expect(await probeStack(folder, gate, '--strict', '--isolation', '--other-peer', 'bob')).toEqual({
      findings: [],
      cells: ['jsonrpc 1.0'],
      exitCode: 0,
    })
    const env = { ...folder.variablesOf('alice'), AGENT_URL: gate + new URL(agent).pathname }
    const args = [join(folder.cwd, 'client.py')]
    expect(await lastLineOf(startInStack('langgraph', args, { path: folder.cwd, env }))).toBe(
      'you said: hello',
    )
  })
})
