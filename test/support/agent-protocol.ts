import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Version } from './agent-card.js'

/** An A2A call as the test agent understands it. */
export interface Call {
  readonly binding: 'jsonrpc' | 'rest'
  readonly version: Version
  readonly operation: 'get' | 'subscribe' | 'send' | 'unknown'
  readonly taskId: string
}

const operations: Readonly<Record<string, readonly [Version, Call['operation']]>> = {
  GetTask: ['1.0', 'get'],
  SubscribeToTask: ['1.0', 'subscribe'],
  SendMessage: ['1.0', 'send'],
  'tasks/get': ['0.3', 'get'],
  'tasks/resubscribe': ['0.3', 'subscribe'],
  'message/send': ['0.3', 'send'],
}

export function parseCall(request: IncomingMessage, body: string): Call {
  const version: Version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
  const path = request.url ?? ''
  if (path === '/rpc') {
    const { method = '', params = {} } = JSON.parse(body) as { method?: string; params?: { id?: string } }
    const [itsVersion, operation] = operations[method] ?? [version, 'unknown']
    return {
      binding: 'jsonrpc',
      version,
      operation: itsVersion === version ? operation : 'unknown',
      taskId: params.id ?? '',
    }
  }
  const rest = version === '1.0' ? /^\/rest(\/.*)$/.exec(path) : /^\/rest\/v1(\/.*)$/.exec(path)
  const [, taskId, verb] = /^\/tasks\/([\w-]+)(:subscribe)?$/.exec(rest?.[1] ?? '') ?? []
  const send = rest?.[1] === '/message:send'
  const operation = send ? 'send' : taskId === undefined ? 'unknown' : verb ? 'subscribe' : 'get'
  return { binding: 'rest', version, operation, taskId: taskId ?? '' }
}

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

function answerOf({ binding, version, operation, taskId }: Call): Answer {
  const message = `Task not found: ${taskId}`
  if (operation === 'unknown') {
    return binding === 'jsonrpc'
      ? rpc({ error: { code: -32601, message: 'Method not found' } })
      : [404, '<pre>Cannot GET it</pre>', 'text/html']
  }
  if (operation === 'send') {
    const task = { id: 'task-1', contextId: 'context-1', status: { state: 'TASK_STATE_COMPLETED' } }
    if (binding === 'jsonrpc')
      return rpc({ result: version === '1.0' ? { task } : { kind: 'task', ...task } })
    return json(version === '1.0' ? 200 : 201, { task })
  }
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
