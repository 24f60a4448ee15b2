import type { ServerResponse } from 'node:http'
import { defaultProfile } from '../../../src/core/profile.js'
import { Seed } from '../../../src/core/seed.js'
import { Token } from '../../../src/core/token.js'
import { cardFor } from '../agent-card.js'
import { sendJson, type AgentPeer, type Quirks } from '../broken-agent.js'
import { edited } from '../broken/card-edits.js'
import { alice, bob } from '../probing.js'
import { testAgent, type RightAgent } from './right-agent.js'

const onGet = (answer: (response: ServerResponse, binding: string) => void): Quirks => ({
  serves: (response, { operation, binding }) => {
    if (operation === 'get') answer(response, binding)
    return response.writableEnded
  },
})

const rpc = (response: ServerResponse, code: number, message: string): void =>
  sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code, message } })

/** How other stacks say that there is no such task, in JSON-RPC and in REST. */
const notFound: readonly RightAgent[] = [
  ...['Task not found', 'task not found', 'The specified task was not found'].map((words) => ({
    name: `says of a missing task: ${words}`,
    start: testAgent(
      onGet((response, binding) =>
        binding === 'jsonrpc'
          ? rpc(response, -32001, words)
          : sendJson(response, 404, { code: -32001, message: words }),
      ),
    ),
  })),
  {
    name: 'says that a task is missing, or not the caller’s',
    start: testAgent(
      onGet((response, binding) =>
        binding === 'jsonrpc'
          ? rpc(response, -32001, 'Task not found or access denied')
          : sendJson(response, 404, { code: -32001, message: 'Task not found or access denied' }),
      ),
    ),
    tolerated: ['auth.valid'],
  },
  {
    name: 'describes a missing task as RFC 9457 does',
    start: testAgent(
      onGet((response, binding) => {
        if (binding === 'jsonrpc') return
        response.writeHead(404, { 'Content-Type': 'application/problem+json' }).end(
          JSON.stringify({
            type: 'https://a2a-protocol.org/errors/task-not-found',
            title: 'Task not found',
            status: 404,
          }),
        )
      }),
    ),
  },
  {
    name: 'answers a bare 404 where a task is missing',
    start: testAgent(onGet((response, binding) => binding === 'rest' && response.writeHead(404).end())),
    remarked: { 'auth.valid': 'warn' },
  },
  {
    name: 'answers an error of its own where a task is missing',
    start: testAgent(
      onGet((response, binding) =>
        binding === 'jsonrpc'
          ? rpc(response, -32099, 'no luck')
          : sendJson(response, 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'no luck' } }),
      ),
    ),
    remarked: { 'auth.valid': 'warn' },
  },
]

const jsonRpcAlone: NonNullable<Quirks['card']> = (card) => {
  const interfaces = card['supportedInterfaces'] as { protocolBinding: string }[] | undefined
  return interfaces
    ? { ...card, supportedInterfaces: interfaces.filter((one) => one.protocolBinding === 'JSONRPC') }
    : { ...card, additionalInterfaces: [] }
}

/** What an agent may lack, or do in a way of its own. */
const ways: readonly RightAgent[] = [
  { name: 'is a test agent over HTTP', start: testAgent() },
  { name: 'is a test agent over gRPC too', start: testAgent({}, { grpc: true }) },
  { name: 'is sent a message', start: testAgent({}, { options: { send: 'hello' } }) },
  {
    name: 'knows how to send a message, and no other method',
    start: testAgent({
      card: jsonRpcAlone,
      serves: (response, { door }) => {
        if (door !== 'send') rpc(response, -32601, 'Method not found')
        return response.writableEnded
      },
    }),
    remarked: { 'auth.valid': 'warn' },
  },
  {
    name: 'says of methods that it does not have that there are none, to anyone',
    start: testAgent({
      answers: (response, { door, binding }) => {
        if (door !== undefined && !/push|list/.test(door)) return false
        if (binding === 'jsonrpc') rpc(response, -32601, 'Method not found')
        else response.writeHead(404, { 'Content-Type': 'text/html' }).end('<pre>Cannot GET it</pre>')
        return true
      },
    }),
  },
  {
    name: 'shows callers no more of its card than anyone',
    start: testAgent({
      answers: (response, { door, binding, version }) => {
        if (door !== 'card') return false
        const { port } = response.socket?.address() as { port: number }
        const card = cardFor(version, `http://127.0.0.1:${port}`, defaultProfile.header)
        sendJson(response, 200, binding === 'jsonrpc' ? { jsonrpc: '2.0', id: 1, result: card } : card)
        return true
      },
    }),
  },
  {
    name: 'does not stream',
    start: testAgent({
      ...edited((card) => ({ ...card, capabilities: { streaming: false } })),
      serves: (response, { operation, binding }) => {
        if (operation !== 'subscribe') return false
        if (binding === 'jsonrpc') rpc(response, -32004, 'This operation is not supported')
        else sendJson(response, 400, { code: -32004, message: 'This operation is not supported' })
        return true
      },
    }),
  },
  {
    name: 'accepts each code once, as its policy says',
    start: testAgent(
      { once: true },
      {
        options: {
          credentials: {
            ...defaultProfile,
            token: Token.parse(alice.token),
            seed: alice.seed,
            replay: 'once',
          },
        },
      },
    ),
  },
  { name: 'accepts each code once, and nobody said so', start: testAgent({ once: true }) },
  {
    name: 'has a clock that is a little behind',
    start: testAgent({ clockOffsetMs: -12_000 }),
  },
  {
    name: 'is behind a cache with a Date an hour old and its Age',
    start: testAgent({
      timeFields: (at) => ({ Date: new Date(at.getTime() - 3_600_000).toUTCString(), Age: '3600' }),
    }),
  },
  {
    name: 'writes dates as asctime does',
    start: testAgent({
      timeFields: (at) => {
        const [day, date = '', month, year, time] = at.toUTCString().split(/,? /)
        return { Date: `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}` }
      },
    }),
  },
  { name: 'gets new credentials while it is probed', start: rotating() },
  { name: 'has a profile of its own', start: ownProfile() },
]

/** An agent whose peer gets another seed and token after its first call; the old ones stay for a while. */
function rotating(): RightAgent['start'] {
  const peers: AgentPeer[] = [alice, bob]
  const admitted = (): void => {
    if (peers.length > 2) return
    const seed = Seed.fromBytes(Buffer.from('alice-has-a-new-seed'))
    peers.push({ ...alice, seed }, { ...alice, token: alice.token.replace('0123', '4567') })
  }
  return testAgent({ admitted }, { peers })
}

function ownProfile(): RightAgent['start'] {
  const profile = {
    algorithm: 'SHA512',
    digits: 8,
    period: 60,
    window: 2,
    header: 'X-Second-Factor',
  } as const
  const options = {
    credentials: { ...profile, token: Token.parse(alice.token), seed: alice.seed },
    otherPeer: { ...profile, seed: bob.seed },
  }
  return testAgent({ header: profile.header, drifts: [0, -1, 1, -2, 2] }, { profile, options })
}

export const rightManners: readonly RightAgent[] = [...ways, ...notFound]
