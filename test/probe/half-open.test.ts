import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { sendJson, type Quirks, type Seen } from '../support/broken-agent.js'
import type { Call } from '../support/agent-protocol.js'
import { alice, findings, probeAgent } from '../support/probing.js'

const hasToken = ({ authorization, codes }: Seen): boolean =>
  codes.length === 0 && authorization.some((line) => line.includes(alice.token))

/** Answers one method to callers with the token alone. */
const toToken = (
  door: Call['door'],
  answer: (response: ServerResponse, call: Call) => void,
): NonNullable<Quirks['answers']> => {
  return (response, call, seen) => {
    if (call.door !== door || !hasToken(seen)) return false
    answer(response, call)
    return true
  }
}

const rpcError = (code: number, message: string) => ({ jsonrpc: '2.0', id: 1, error: { code, message } })

const firewallPage =
  '<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center><hr><center>nginx</center></body></html>'

/** A firewall that lets nobody through without a token. */
const firewall = (response: ServerResponse, _: Call, { authorization }: Seen): boolean => {
  if (authorization.length > 0) return false
  response.writeHead(403, { 'Content-Type': 'text/html', Server: 'nginx' }).end(firewallPage)
  return true
}

describe('a token that gets further than nothing was not refused', () => {
  it.each<[string, unknown]>([
    ['an unknown method', rpcError(-32601, 'Method not found')],
    ['parameters', rpcError(-32602, 'Invalid params: id must be a ULID')],
    ['an internal error', rpcError(-32603, 'Internal error')],
    ['a task list', { items: [] }],
  ])('where nothing gets 401 and it is answered 200 with %s', async (_, body) => {
    const { report } = await probeAgent({
      answers: toToken('get', (response) => sendJson(response, 200, body)),
    })
    expect(findings(report)).toEqual({ 'auth.bearer-only': 'fail' })
  })

  it('but was where the words are of a refusal', async () => {
    const body = rpcError(-32000, 'Unauthorized')
    const { report } = await probeAgent({
      answers: toToken('get', (response) => sendJson(response, 200, body)),
    })
    expect(findings(report)).toEqual({ status: 'warn', uniform: 'warn' })
  })
})

describe('a call that is handled was not refused, whatever the status says', () => {
  it('where the answer is that of a task that is missing', async () => {
    const { report } = await probeAgent({
      answers: toToken('get', (response, { binding, version, taskId }) => {
        const message = `Task not found: ${taskId}`
        const isPlain = binding === 'rest' && version === '1.0'
        sendJson(
          response,
          401,
          isPlain ? { error: { code: 404, status: 'NOT_FOUND', message } } : rpcError(-32001, message),
        )
      }),
    })
    expect(findings(report)).toMatchObject({ 'auth.bearer-only': 'fail' })
  })

  it('where the answer of a method is a result', async () => {
    const { report } = await probeAgent({
      answers: toToken('list', (response, { binding }) =>
        sendJson(
          response,
          401,
          binding === 'rest' ? { tasks: [] } : { jsonrpc: '2.0', id: 1, result: { tasks: [] } },
        ),
      ),
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
  })
})

describe('a method that reads its parameters is open', () => {
  const invalid = (response: ServerResponse, { binding }: Call, message: string): void => {
    if (binding === 'jsonrpc') sendJson(response, 200, rpcError(-32602, message))
    else sendJson(response, 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message } })
  }

  it('though what it misses is called a token', async () => {
    const { report } = await probeAgent({
      answers: (response, call) => {
        if (call.door !== 'set-push') return false
        invalid(response, call, 'pushNotificationConfig.token is required')
        return true
      },
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail' })
  })

  it('though a malformed code is refused with the same status', async () => {
    const { report } = await probeAgent({
      answers: (response, call) => {
        if (call.door !== 'send') return false
        invalid(response, call, 'message.messageId is required')
        return true
      },
      refuse: (response, reason) => {
        if (reason !== 'malformed' && reason !== 'doubled') return false
        sendJson(response, 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'malformed' } })
        return true
      },
    })
    expect(findings(report)).toMatchObject({ 'auth.doors': 'fail' })
    expect(report.checks.filter(({ id, status }) => id === 'auth.doors' && status === 'fail')).toHaveLength(4)
  })
})

describe('behind a firewall that answers callers without a token', () => {
  it('methods are tried with the token alone', async () => {
    const { report } = await probeAgent({
      answers: firewall,
      waves: (call, seen) => call.door === 'send' && hasToken(seen),
    })
    expect(findings(report)).toEqual({ 'auth.doors': 'fail', status: 'warn' })
  })

  it('an agent that refuses the rest is right', async () => {
    const { report } = await probeAgent({ answers: firewall })
    expect(findings(report)).toEqual({ status: 'warn' })
  })
})
