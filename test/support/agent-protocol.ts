import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Version } from './agent-card.js'

/** What a call asks for; `unknown` is a method that the agent does not have. */
export type CallOperation =
  'get' | 'subscribe' | 'send' | 'stream' | 'list' | 'cancel' | 'push' | 'card' | 'unknown'

/** An A2A call as the test agent understands it. */
export interface Call {
  readonly binding: 'jsonrpc' | 'rest'
  readonly version: Version
  readonly operation: CallOperation
  readonly taskId: string
  /** Whether it has a message with an id: without one, nothing is done. */
  readonly hasMessage?: boolean
  /** The method as it was called: `message/send`, `POST /message:send`. */
  readonly name?: string
}

const operations: Readonly<Record<string, readonly [Version, CallOperation]>> = {
  GetTask: ['1.0', 'get'],
  ListTasks: ['1.0', 'list'],
  CancelTask: ['1.0', 'cancel'],
  SubscribeToTask: ['1.0', 'subscribe'],
  SendMessage: ['1.0', 'send'],
  SendStreamingMessage: ['1.0', 'stream'],
  CreateTaskPushNotificationConfig: ['1.0', 'push'],
  GetTaskPushNotificationConfig: ['1.0', 'push'],
  ListTaskPushNotificationConfigs: ['1.0', 'push'],
  DeleteTaskPushNotificationConfig: ['1.0', 'push'],
  GetExtendedAgentCard: ['1.0', 'card'],
  'tasks/get': ['0.3', 'get'],
  'tasks/cancel': ['0.3', 'cancel'],
  'tasks/resubscribe': ['0.3', 'subscribe'],
  'message/send': ['0.3', 'send'],
  'message/stream': ['0.3', 'stream'],
  'tasks/pushNotificationConfig/set': ['0.3', 'push'],
  'tasks/pushNotificationConfig/get': ['0.3', 'push'],
  'tasks/pushNotificationConfig/list': ['0.3', 'push'],
  'tasks/pushNotificationConfig/delete': ['0.3', 'push'],
  'agent/getAuthenticatedExtendedCard': ['0.3', 'card'],
}

interface Params {
  readonly id?: string
  readonly taskId?: string
  readonly message?: { readonly messageId?: string }
}

export function parseCall(request: IncomingMessage, body: string): Call {
  const version: Version = request.headers['a2a-version'] === '1.0' ? '1.0' : '0.3'
  const { pathname } = new URL(request.url ?? '', 'http://agent')
  if (pathname === '/rpc') {
    const { method = '', params = {} } = JSON.parse(body) as { method?: string; params?: Params }
    const [itsVersion, operation] = operations[method] ?? [version, 'unknown']
    return {
      binding: 'jsonrpc',
      version,
      operation: itsVersion === version ? operation : 'unknown',
      taskId: params.id ?? params.taskId ?? '',
      hasMessage: params.message?.messageId !== undefined,
      name: method,
    }
  }
  const rest = version === '1.0' ? /^\/rest(\/.*)$/.exec(pathname) : /^\/rest\/v1(\/.*)$/.exec(pathname)
  const path = rest?.[1] ?? ''
  const { message } = (body.startsWith('{') ? JSON.parse(body) : {}) as Params
  return {
    binding: 'rest',
    version,
    operation: restOperation(request.method ?? '', path, version),
    taskId: /^\/tasks\/([\w-]+)/.exec(path)?.[1] ?? '',
    // The gateway of gRPC hands on no message.
    hasMessage: body === '' || message?.messageId !== undefined,
    name: `${request.method} ${path}`,
  }
}

const restRoutes: readonly (readonly [RegExp, CallOperation])[] = [
  [/^POST \/message:send$/, 'send'],
  [/^POST \/message:stream$/, 'stream'],
  [/^GET \/tasks\/[\w-]+$/, 'get'],
  [/^(GET|POST) \/tasks\/[\w-]+:subscribe$/, 'subscribe'],
  [/^POST \/tasks\/[\w-]+:cancel$/, 'cancel'],
  [/^(GET|POST) \/tasks\/[\w-]+\/pushNotificationConfigs$/, 'push'],
  [/^(GET|DELETE) \/tasks\/[\w-]+\/pushNotificationConfigs\/[\w-]+$/, 'push'],
]

function restOperation(method: string, path: string, version: Version): CallOperation {
  const call = `${method} ${path}`
  if (version === '1.0' && call === 'GET /tasks') return 'list'
  if (call === (version === '1.0' ? 'GET /extendedAgentCard' : 'GET /card')) return 'card'
  return restRoutes.find(([route]) => route.test(call))?.[1] ?? 'unknown'
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

/** What only callers with credentials see. */
const extendedCard = { name: 'Test agent', skills: [{ id: 'audit', name: 'Audit of the books' }] }

function answerOf(call: Call): Answer {
  const { binding, version, operation, taskId, hasMessage } = call
  if (operation === 'unknown') {
    return binding === 'jsonrpc'
      ? rpc({ error: { code: -32601, message: 'Method not found' } })
      : [404, '<pre>Cannot GET it</pre>', 'text/html']
  }
  if (operation === 'send' || operation === 'stream') {
    if (hasMessage === false) return errorOf(call, malformed, 'message.messageId is required')
    const task = { id: 'task-1', contextId: 'context-1', status: { state: 'TASK_STATE_COMPLETED' } }
    if (binding === 'jsonrpc')
      return rpc({ result: version === '1.0' ? { task } : { kind: 'task', ...task } })
    return json(version === '1.0' ? 200 : 201, { task })
  }
  if (operation === 'list' || operation === 'card') {
    const result = operation === 'card' ? extendedCard : { tasks: [], totalSize: 0 }
    return binding === 'jsonrpc' ? rpc({ result }) : json(200, result)
  }
  return errorOf(call, taskNotFound, `Task not found: ${taskId}`)
}

const taskNotFound = { code: -32001, http: 404, status: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' }
const malformed = { code: -32602, http: 400, status: 'INVALID_ARGUMENT', reason: 'INVALID_PARAMS' }

function errorOf({ binding, version }: Call, error: typeof malformed, message: string): Answer {
  const { code, http, status, reason } = error
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'a2a-protocol.org' }
  if (binding === 'jsonrpc') {
    return rpc({ error: { code, message, ...(version === '1.0' ? { data: [info] } : {}) } })
  }
  return version === '0.3'
    ? json(http, { code, message })
    : [http, { error: { code: http, status, message, details: [info] } }, 'application/a2a+json']
}
