import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AgentExecutor } from 'a2a-sdk-0.3/server'
import { defaultProfile, type ReplayPolicy } from '../../src/core/profile.js'
import { Token } from '../../src/core/token.js'
import { startDemoAgent } from '../../src/demo/index.js'
import { probe, type ProbeOptions, type ProbeReport } from '../../src/probe/index.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { memoryState } from '../../src/state/memory-state.js'
import { agent03 } from '../support/agent-03.js'
import { answerTask, type Call } from '../support/agent-protocol.js'
import { sendJson } from '../support/broken-agent.js'
import { demoRoster } from '../support/demo-roster.js'
import { alice, bob, findings, probeAgent, probeOptions, stillClock, skippedIn } from '../support/probing.js'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

// Of now, because the agents' Date is; under policy once it moves.
let clock = stillClock(new Date())
beforeEach(() => {
  clock = stillClock(new Date())
  // The SDK writes each refused stream there.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => void vi.restoreAllMocks())

const otherPeer = { ...defaultProfile, seed: bob.seed, token: Token.parse(bob.token) }

const optionsAt = (url: string): ProbeOptions => ({
  ...probeOptions(url, clock),
  timeoutMs: 20_000,
  otherPeer,
  isolation: true,
})

const isolationIn = ({ checks }: ProbeReport): string[] =>
  checks
    .filter(({ id }) => id === 'isolation')
    .map(({ status, actual, detail }) => `${status}: ${detail === '' ? actual : detail}`)

async function demoUrl(replay: ReplayPolicy = 'reuse'): Promise<string> {
  const roster = demoRoster(clock.now(), replay)
  const demo = await startDemoAgent({ roster, port: 0, now: clock.now })
  closers.push(() => demo.close())
  return demo.cardUrl
}

/** Makes a task of each message, which is done at once. */
const working: AgentExecutor = {
  execute: ({ taskId, contextId, userMessage }, bus) => {
    const status = { state: 'completed' as const, timestamp: new Date().toISOString() }
    bus.publish({ kind: 'task', id: taskId, contextId, status, history: [userMessage] })
    bus.finished()
    return Promise.resolve()
  },
  cancelTask: () => Promise.resolve(),
}

async function agentOf03(executor?: AgentExecutor): Promise<string> {
  const scheme = new TOTPServerAuthScheme({
    peerSeeds: { alice: alice.seed, bob: bob.seed },
    tokenToPeer: { [alice.token]: 'alice', [bob.token]: 'bob' },
    replay: 'reuse',
    state: memoryState({ since: new Date(0) }),
    now: clock.now,
  })
  const agent = await agent03(scheme, executor)
  closers.push(async () => agent[Symbol.asyncDispose]())
  return agent.origin
}

describe('isolation', () => {
  it('passes in every cell of the demo, which keeps tasks by peer, and says first what it sends', async () => {
    const said: string[] = []
    const report = await probe({
      ...optionsAt(await demoUrl()),
      send: 'hello',
      announce: (text) => said.push(text),
    })
    expect(findings(report)).toEqual({})
    expect(isolationIn(report)).toHaveLength(6)
    expect(skippedIn(report)).toEqual(['card.signature'])
    expect(said[0]).toContain('sends the message "hello"')
  })

  it('takes a time step for each call under policy once', async () => {
    const options = optionsAt(await demoUrl('once'))
    const report = await probe({
      ...options,
      credentials: { ...options.credentials, replay: 'once' },
      only: ['isolation'],
      binding: 'jsonrpc',
    })
    expect(isolationIn(report).map((line) => line.slice(0, 4))).toEqual(['pass', 'pass'])
  })

  it('fails where all peers share one task store, and names how it was reached', async () => {
    const report = await probe(optionsAt(await agentOf03(working)))
    expect(findings(report)).toEqual({ isolation: 'fail' })
    const lines = isolationIn(report)
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(line).toMatch(/^fail: another peer can: read it, .*cancel it$/)
  })

  it('is skipped, and says so, where a message makes no task', async () => {
    const report = await probe(optionsAt(await agentOf03()))
    expect(isolationIn(report)[0]).toBe('skip: the agent answered with a message and made no task')
  })

  it("does not pass where the other peer's credentials are wrong", async () => {
    const wrong = { ...otherPeer, token: Token.parse('a2at_nobody-0123456789abcdefghijklmnopqrstuv') }
    const report = await probe({ ...optionsAt(await demoUrl()), otherPeer: wrong, binding: 'rest' })
    for (const line of isolationIn(report)) expect(line).toMatch(/^skip: the other peer's credentials/)
    expect(findings(report)).toEqual({ coverage: 'fail' })
  })

  /** An agent whose tasks belong to nobody: who may call reads the one that it has. */
  const shared = ({ version, operation, taskId, binding }: Call, response: ServerResponse): boolean => {
    if (operation !== 'get' || taskId !== 'task-1') return false
    const state = version === '1.0' ? 'TASK_STATE_COMPLETED' : 'completed'
    const result = { kind: 'task', id: 'task-1', contextId: 'c', status: { state } }
    sendJson(response, 200, binding === 'jsonrpc' ? { jsonrpc: '2.0', id: 1, result } : result)
    return true
  }
  const asBob: Partial<ProbeOptions> = { otherPeer, isolation: true, binding: 'jsonrpc', protocol: '1.0' }

  it.each([
    [429, 'everything', () => true],
    [502, 'everything', () => true],
    [429, 'reads alone', ({ operation }: Call) => operation === 'get'],
    [500, 'reads alone', ({ operation }: Call) => operation === 'get'],
  ])('is a gap where the other peer gets %i for %s', async (status, _, isLost) => {
    const { report } = await probeAgent(
      {
        serves: (response, call) => shared(call, response),
        answers: (response, call, { authorization }) => {
          if (authorization[0] !== `Bearer ${bob.token}` || !isLost(call)) return false
          response.setHeader('Retry-After', '3600')
          sendJson(response, status, { error: { code: status, message: 'later' } })
          return true
        },
      },
      asBob,
    )
    const detail = 'nothing shows whether another peer can read it'
    expect(isolationIn(report)).toEqual([`skip: ${detail}`])
    expect(report.checks.find(({ id }) => id === 'coverage')).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining(`isolation: ${detail}`) as string,
    })
  })

  it('is a gap where it can read nothing, and a limiter answers for the list', async () => {
    const { report } = await probeAgent(
      {
        serves: (response, call) => shared(call, response),
        answers: (response, call, { authorization }) => {
          if (authorization[0] !== `Bearer ${bob.token}`) return false
          if (call.operation === 'list') sendJson(response, 429, {})
          else answerTask(response, call)
          return true
        },
      },
      asBob,
    )
    expect(isolationIn(report)[0]).toBe('skip: nothing shows whether another peer can list it')
    expect(findings(report)).toEqual({ coverage: 'fail' })
  })

  type Answers = (response: ServerResponse, call: Call) => void

  /** What bob gets for a task that he cannot read. */
  const asBobGets = async (
    operation: Call['operation'],
    answer: Answers,
    options: Partial<ProbeOptions> = {},
  ): Promise<ProbeReport> => {
    const { report } = await probeAgent(
      {
        serves: (response, call) => shared(call, response),
        answers: (response, call, { authorization }) => {
          if (authorization[0] !== `Bearer ${bob.token}`) return false
          if (call.operation === operation) answer(response, call)
          else answerTask(response, call)
          return true
        },
      },
      { ...asBob, timeoutMs: 2000, ...options },
    )
    return report
  }

  const long = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    result: { tasks: ['x'.repeat(200 * 1024), 'task-1'] },
  })

  it.each<[string, Call['operation'], Answers]>([
    ['list', 'list', (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(long)],
    ['cancel', 'cancel', (response) => sendJson(response, 500, { error: { code: 500, message: 'boom' } })],
    [
      'subscribe to',
      'subscribe',
      (response, { taskId }) => taskId !== 'task-1' && response.writeHead(404).end(),
    ],
  ])('is a gap where the answer does not show whether it can %s it', async (what, operation, answer) => {
    const report = await asBobGets(operation, answer)
    expect(isolationIn(report)[0]).toBe(`skip: nothing shows whether another peer can ${what} it`)
    expect(findings(report)).toHaveProperty('coverage', 'fail')
  })

  const fails: Answers = (response) => sendJson(response, 500, { error: { code: 500, message: 'no list' } })

  it('is a gap where the list of another peer fails, and that of the peer itself does not', async () => {
    const report = await asBobGets('list', fails)
    expect(isolationIn(report)[0]).toBe('skip: nothing shows whether another peer can list it')
  })

  it.each<[string, Call['operation'], Answers]>([
    ['a list fails', 'list', fails],
    [
      'a subscription breaks off',
      'subscribe',
      (response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: {"part')
        setImmediate(() => response.destroy())
      },
    ],
  ])('passes where %s for the peer itself, too', async (_what, operation, answer) => {
    const { report } = await probeAgent(
      {
        serves: (response, call) => {
          if (call.operation !== operation) return shared(call, response)
          answer(response, call)
          return true
        },
        answers: (response, call, { authorization }) => {
          if (authorization[0] !== `Bearer ${bob.token}` || call.operation === operation) return false
          answerTask(response, call)
          return true
        },
      },
      asBob,
    )
    expect(isolationIn(report)[0]).toMatch(/^pass/)
    expect(findings(report)).toEqual({})
  })

  it('fails where a list that fails for everybody has the task', async () => {
    const { report } = await probeAgent(
      {
        serves: (response, call) => {
          if (call.operation !== 'list') return shared(call, response)
          sendJson(response, 500, { error: { code: 500, message: 'cannot write task-1' } })
          return true
        },
        answers: (response, call, { authorization }) => {
          if (authorization[0] !== `Bearer ${bob.token}` || call.operation === 'list') return false
          answerTask(response, call)
          return true
        },
      },
      asBob,
    )
    expect(isolationIn(report)[0]).toBe('fail: another peer can: list it')
  })

  it('fails where a list of 0.3 has the task', async () => {
    const report = await asBobGets(
      'list',
      (response) =>
        sendJson(response, 200, { jsonrpc: '2.0', id: 1, result: [{ kind: 'task', id: 'task-1' }] }),
      { protocol: '0.3' },
    )
    expect(isolationIn(report)).toEqual(['fail: another peer can: list it'])
  })

  it('fails where a task is subscribed to by POST alone', async () => {
    const report = await asBobGets(
      'subscribe',
      (response, call) => {
        if (call.httpMethod === 'POST' && call.taskId === 'task-1') {
          const event = JSON.stringify({ task: { id: 'task-1', status: { state: 'TASK_STATE_WORKING' } } })
          response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`data: ${event}\n\n`)
        } else answerTask(response, call)
      },
      { binding: 'rest' },
    )
    expect(isolationIn(report)).toEqual(['fail: another peer can: subscribe to it'])
  })

  it('sends nothing unless it is asked for', async () => {
    const { report, agent } = await probeAgent({}, { otherPeer })
    expect(isolationIn(report)).toEqual([])
    const bobs = agent.requests.filter(({ fields }) => fields.includes(`Bearer ${bob.token}`))
    expect(bobs).toEqual([])
  })

  it('is refused without the token of a second peer, before anything is sent', async () => {
    const tokenless = { ...defaultProfile, seed: bob.seed }
    const alone = { ...optionsAt('http://127.0.0.1:9'), otherPeer: tokenless }
    await expect(probe(alone)).rejects.toMatchObject({ code: 'ERR_USAGE' })
  })
})
