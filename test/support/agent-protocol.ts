import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Version } from './agent-card.js'
import { answerAt, restDoor, rpcDoor, type Door } from './agent-doors.js'

/** What a call asks for; `unknown` is a method that the agent does not have. */
export type CallOperation =
  'get' | 'subscribe' | 'send' | 'stream' | 'list' | 'cancel' | 'push' | 'card' | 'unknown'

/** An A2A call as the test agent understands it. */
export interface Call {
  readonly binding: 'jsonrpc' | 'rest'
  readonly version: Version
  readonly operation: CallOperation
  /** The method of the protocol that it calls, if there is such a one. */
  readonly door: Door | undefined
  readonly httpMethod: string
  readonly taskId: string
  /** The method as it was called: `message/send`, `POST /message:send`. */
  readonly name: string
  /** Whether it sends a message without id and parts. */
  readonly hollow: boolean
}

export function parseCall(request: IncomingMessage, body: string): Call {
  const version: Version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
  const { method: httpMethod = '', url: path = '' } = request
  if (path === '/rpc') {
    const { method = '', params } = parsed(body) as { method?: string; params?: Params }
    const door = rpcDoor(method, version)
    return {
      ...{ binding: 'jsonrpc', version, httpMethod, door, name: method },
      ...{ operation: operationOf(door), taskId: params?.id ?? '', hollow: isHollow(params) },
    }
  }
  const rest = version === '1.0' ? /^\/rest(\/.*)$/.exec(path) : /^\/rest\/v1(\/.*)$/.exec(path)
  const { door, taskId } = restDoor(httpMethod, rest?.[1] ?? '')
  const hollow = body !== '' && isHollow(parsed(body) as Params)
  const name = `${httpMethod} ${rest?.[1] ?? ''}`
  return { binding: 'rest', version, operation: operationOf(door), door, httpMethod, name, taskId, hollow }
}

interface Params {
  readonly id?: string
  readonly message?: { readonly messageId?: string }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}

function operationOf(door: Door | undefined): CallOperation {
  if (door === undefined) return 'unknown'
  return door.endsWith('push') ? 'push' : (door as CallOperation)
}

const isHollow = (params: Params | undefined): boolean => (params?.message?.messageId ?? '') === ''

const errorInfo = {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'TASK_NOT_FOUND',
  domain: 'a2a-protocol.org',
}

/** The answers that @a2a-js/sdk 1.3 gives in each cell. */
export function answerTask(response: ServerResponse, call: Call): void {
  const [status, body, type] = answerOf(call)
  response.writeHead(status, { 'Content-Type': type })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

type Answer = readonly [status: number, body: unknown, type: string]

const json = (status: number, body: unknown): Answer => [status, body, 'application/json']

const rpc = (rest: Record<string, unknown>): Answer => json(200, { jsonrpc: '2.0', id: 1, ...rest })

function answerOf(call: Call): Answer {
  const { binding, version, operation, door, taskId, hollow } = call
  const message = `Task not found: ${taskId}`
  if (door === undefined) {
    return binding === 'jsonrpc'
      ? rpc({ error: { code: -32601, message: 'Method not found' } })
      : [404, '<pre>Cannot GET it</pre>', 'text/html']
  }
  if (operation !== 'get' && operation !== 'subscribe' && (operation !== 'send' || hollow)) {
    return ofHandler(call, door, message)
  }
  if (operation === 'send') {
    const task = { id: 'task-1', contextId: 'context-1', status: { state: 'TASK_STATE_COMPLETED' } }
    if (binding === 'jsonrpc')
      return rpc({ result: version === '1.0' ? { task } : { kind: 'task', ...task } })
    return json(version === '1.0' ? 200 : 201, { task })
  }
  return notFound(call, message)
}

function ofHandler(call: Call, door: Door, message: string): Answer {
  const { binding, version } = call
  const answer = answerAt(door)
  if ('result' in answer) return binding === 'jsonrpc' ? rpc(answer) : json(200, answer.result)
  if (answer.error === 'task not found') return notFound(call, message)
  const said = 'message.messageId is required'
  if (binding === 'jsonrpc') return rpc({ error: { code: -32602, message: said } })
  return version === '0.3'
    ? json(400, { code: -32602, message: said })
    : json(400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: said } })
}

function notFound({ binding, version }: Call, message: string): Answer {
  if (binding === 'jsonrpc') {
    return rpc({ error: { code: -32001, message, ...(version === '1.0' ? { data: [errorInfo] } : {}) } })
  }
  return version === '0.3'
    ? json(404, { code: -32001, message })
    : [
        404,
        { error: { code: 404, status: 'NOT_FOUND', message, details: [errorInfo] } },
        'application/a2a+json',
      ]
}
