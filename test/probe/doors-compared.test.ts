import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Call } from '../support/agent-protocol.js'
import { sendJson, type Quirks } from '../support/broken-agent.js'
import { findings, findingsByCell, probeAgent } from '../support/probing.js'

type Says = (response: ServerResponse, what: string) => void

const text =
  (status: number, type = 'text/plain'): Says =>
  (response, what) =>
    response.writeHead(status, { 'Content-Type': type }).end(what)

/** A framework that reads methods and parameters before the guard, and says what is wrong with them. */
const validating = (says: Says, isOfFramework: (call: Call) => boolean, words?: string): Quirks => ({
  answers: (response, call) => {
    if (!isOfFramework(call)) return false
    says(response, words ?? (call.operation === 'unknown' ? 'unknown method' : 'message.parts is required'))
    return true
  },
})

const onJsonRpc = ({ binding, operation }: Call): boolean =>
  binding === 'jsonrpc' && ['send', 'unknown'].includes(operation)

describe('a method that gets what an invented one gets', () => {
  it.each<[string, Says, string?]>([
    ['422 with a detail', (response, what) => sendJson(response, 422, { detail: [{ msg: what }] })],
    ['422 with the same text', text(422), 'invalid request'],
    ['400 as a text', text(400)],
    ['400 with a message', (response, message) => sendJson(response, 400, { message })],
    ['500 as a page', text(500, 'text/html'), '<h1>Server Error</h1>'],
    ['200 with an object', (response, message) => sendJson(response, 200, { message }), 'bad request'],
  ])('is open where the status says nothing of a method: %s', async (_, says, words) => {
    const { report } = await probeAgent(validating(says, onJsonRpc, words), { binding: 'jsonrpc' })
    const found = report.checks.filter(({ id }) => id === 'auth.doors')
    expect(found.map(({ status }) => status)).toEqual(['fail', 'fail'])
    expect(found[0]?.detail).toContain('SendMessage')
    expect(found[1]?.detail).toContain('message/send')
  })

  it.each<[string, Says, string?]>([
    ['404', text(404)],
    ['405', text(405)],
    ['501', text(501)],
    ['a redirect', text(302)],
    ['one page for everything', text(200, 'text/html'), '<h1>Welcome</h1>'],
  ])('is not there: %s', async (_, says, words) => {
    const isMissing = ({ binding, operation }: Call): boolean =>
      binding === 'jsonrpc' && ['list', 'push', 'unknown'].includes(operation)
    const { report } = await probeAgent(validating(says, isMissing, words), { binding: 'jsonrpc' })
    expect(findings(report)).not.toHaveProperty('auth.doors')
  })

  it('is compared with that of its own version, where one cell tries both', async () => {
    const { report } = await probeAgent(
      {
        answers: (response, { version, operation, binding }) => {
          if (binding !== 'jsonrpc' || !['list', 'push', 'unknown'].includes(operation)) return false
          if (version === '0.3') text(302)(response, 'elsewhere')
          else sendJson(response, 404, { error: { code: 404, status: 'NOT_FOUND', message: 'no such path' } })
          return true
        },
      },
      { binding: 'jsonrpc', protocol: '1.0' },
    )
    expect(findings(report)).not.toHaveProperty('auth.doors')
  })
})

describe('an agent that refuses with an object in a 200', () => {
  const refuse: Quirks['refuse'] = (response) => {
    sendJson(response, 200, { ok: false, reason: 'unauthorized' })
    return true
  }

  it('has an open method where it answers another object', async () => {
    const { report } = await probeAgent(
      {
        refuse,
        answers: (response, { operation }) => {
          if (operation !== 'list') return false
          sendJson(response, 200, { ok: true, data: [{ id: 'of somebody' }] })
          return true
        },
      },
      { binding: 'rest' },
    )
    for (const cell of ['rest 1.0', 'rest 0.3'])
      expect(findingsByCell(report)[cell]).toHaveProperty('auth.doors', 'fail')
  })

  it('has none where it answers the same one', async () => {
    const { report } = await probeAgent({ refuse }, { binding: 'rest' })
    expect(findings(report)).not.toHaveProperty('auth.doors')
  })
})

describe('a stream of a message that says something inside', () => {
  const says = (message: string, operations: readonly Call['operation'][]): NonNullable<Quirks['refuse']> => {
    const error = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32000, message } })
    return (response, _, { operation }) => {
      if (!operations.includes(operation)) return false
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(`data: ${error}\n\n`)
      return true
    }
  }

  it.each(['the prompt has 0 tokens', 'Incorrect API credential', 'Unauthorized'])(
    'was opened where the other stream is refused with 401: %s',
    async (message) => {
      const { report } = await probeAgent({ refuse: says(message, ['stream']) })
      const found = report.checks.filter(({ id, status }) => id === 'auth.doors' && status === 'fail')
      expect(found).toHaveLength(4)
    },
  )

  it('was refused where the other stream is refused inside too', async () => {
    const { report } = await probeAgent({ refuse: says('Unauthorized', ['stream', 'subscribe']) })
    expect(findings(report)).not.toHaveProperty('auth.doors')
    expect(findings(report)).not.toHaveProperty('auth.stream')
  })
})
