import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Call } from '../support/agent-protocol.js'
import { sendJson, type Quirks } from '../support/broken-agent.js'
import { findings, findingsByCell, probeAgent } from '../support/probing.js'

type Says = (response: ServerResponse, call: Call) => void

/** An agent that leaves some operations open, whose handlers fail on every call. */
const open = (operations: readonly Call['operation'][], says: Says): Quirks => ({
  waves: ({ operation }) => operations.includes(operation),
  serves: (response, call) => {
    if (!operations.includes(call.operation)) return false
    says(response, call)
    return true
  },
})

/** An error inside a 200 over JSON-RPC, and with a status of its own in REST. */
const fails =
  (message: string, code = -32603, status = 409, name = 'ABORTED'): Says =>
  (response, { binding }) => {
    if (binding === 'jsonrpc') sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code, message } })
    else sendJson(response, status, { error: { code: status, status: name, message } })
  }

const inStream =
  (message: string): Says =>
  (response) => {
    const error = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32603, message } })
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`data: ${error}\n\n`)
  }

const cells = ['jsonrpc 1.0', 'jsonrpc 0.3', 'rest 1.0', 'rest 0.3']

describe('a handler that ran without credentials, and has words about credentials of its own,', () => {
  it.each<[string, Says]>([
    ["a model's key", fails('litellm.AuthenticationError: OPENAI_API_KEY is not set')],
    ["a model's answer", fails('401 Unauthorized from https://api.openai.com/v1/chat/completions')],
    ['tokens of a text', fails('context length exceeded: 130000 tokens')],
    ['an invalid request', fails('message.parts is required (max 128000 tokens)', -32600, 400, 'UNKNOWN')],
    ['a push configuration', fails('push notification token missing', -32000)],
    ['a stream', inStream('AuthenticationError: no API key for the model')],
  ])('is an open method, in each cell: %s', async (_, says) => {
    const { report } = await probeAgent(open(['send', 'stream', 'push'], says))
    const found = cells.map((cell) => [cell, { 'auth.doors': 'fail' }])
    expect(findingsByCell(report)).toEqual(Object.fromEntries(found))
  })

  it.each<[string, Says]>([
    ['inside of the stream', inStream('AuthenticationError: no API key for the model')],
    ['instead of a stream', fails('the token budget is used up')],
  ])('is an open stream: %s', async (_, says) => {
    const { report } = await probeAgent(open(['subscribe'], says))
    for (const cell of cells) expect(findingsByCell(report)[cell]).toHaveProperty('auth.stream', 'fail')
  })
})

describe('a precondition in REST that names no reason of A2A', () => {
  const unmet = fails('not possible in this state', -32603, 400, 'FAILED_PRECONDITION')

  it('is the word of a method that is open', async () => {
    const { report } = await probeAgent(open(['send', 'stream', 'cancel', 'list'], unmet), {
      binding: 'rest',
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
  })

  it('is that of a stream that is open', async () => {
    const { report } = await probeAgent(open(['subscribe'], unmet), { binding: 'rest' })
    for (const cell of ['rest 1.0', 'rest 0.3'])
      expect(findingsByCell(report)[cell]).toHaveProperty('auth.stream', 'fail')
  })

  it('is no open method where an invented route gets it too', async () => {
    const answers: Quirks['answers'] = (response, call) => {
      if (call.binding !== 'rest' || !['push', 'card', 'unknown'].includes(call.operation)) return false
      unmet(response, call)
      return true
    }
    const { report } = await probeAgent({ answers }, { binding: 'rest' })
    expect(findings(report)).toEqual({})
  })
})

describe('an agent that refuses inside a 200', () => {
  it('refuses its other methods with words that differ from those for a task', async () => {
    const { report } = await probeAgent(
      {
        refuse: (response, _reason, { operation }) => {
          const message = `Unauthorized: ${operation} needs a token and a code`
          sendJson(response, 200, { jsonrpc: '2.0', id: 1, error: { code: -32000, message } })
          return true
        },
      },
      { binding: 'jsonrpc' },
    )
    expect(findings(report)).not.toHaveProperty('auth.doors')
    expect(findings(report)).not.toHaveProperty('auth.stream')
  })
})
