import type { Version } from './agent-card.js'

/** The methods of the protocol, by one name for all bindings and versions. */
export const doors = [
  'get',
  'subscribe',
  'send',
  'stream',
  'list',
  'cancel',
  'set-push',
  'get-push',
  'list-push',
  'delete-push',
  'card',
] as const
export type Door = (typeof doors)[number]

/** A2A 1.0 §5.3, 0.3 §3.5.6. */
const rpcNames: Readonly<Record<Door, readonly [name10: string, name03: string]>> = {
  get: ['GetTask', 'tasks/get'],
  subscribe: ['SubscribeToTask', 'tasks/resubscribe'],
  send: ['SendMessage', 'message/send'],
  stream: ['SendStreamingMessage', 'message/stream'],
  list: ['ListTasks', 'tasks/list'],
  cancel: ['CancelTask', 'tasks/cancel'],
  'set-push': ['CreateTaskPushNotificationConfig', 'tasks/pushNotificationConfig/set'],
  'get-push': ['GetTaskPushNotificationConfig', 'tasks/pushNotificationConfig/get'],
  'list-push': ['ListTaskPushNotificationConfigs', 'tasks/pushNotificationConfig/list'],
  'delete-push': ['DeleteTaskPushNotificationConfig', 'tasks/pushNotificationConfig/delete'],
  card: ['GetExtendedAgentCard', 'agent/getAuthenticatedExtendedCard'],
}

/** The door that a JSON-RPC method names in a version, if any. */
export function rpcDoor(method: string, version: Version): Door | undefined {
  return doors.find((door) => rpcNames[door][version === '1.0' ? 0 : 1] === method)
}

/** HTTP method and path below the interface's URL (A2A 1.0 §11.3, 0.3 §3.5.3). */
const routes: readonly (readonly [Door, RegExp, RegExp])[] = [
  ['send', /POST/, /^\/message:send$/],
  ['stream', /POST/, /^\/message:stream$/],
  ['list', /GET/, /^\/tasks\/?(\?|$)/],
  ['get', /GET/, /^\/tasks\/([\w-]+)(\?|$)/],
  ['subscribe', /GET|POST/, /^\/tasks\/([\w-]+):subscribe$/],
  ['cancel', /POST/, /^\/tasks\/([\w-]+):cancel$/],
  ['set-push', /POST/, /^\/tasks\/([\w-]+)\/pushNotificationConfigs$/],
  ['list-push', /GET/, /^\/tasks\/([\w-]+)\/pushNotificationConfigs(\?|$)/],
  ['get-push', /GET/, /^\/tasks\/([\w-]+)\/pushNotificationConfigs\/[\w-]+(\?|$)/],
  ['delete-push', /DELETE/, /^\/tasks\/([\w-]+)\/pushNotificationConfigs\/[\w-]+(\?|$)/],
  ['card', /GET/, /^\/(extendedAgentCard|card)$/],
]

/** The door that a route is, and the id of the task in it. */
export function restDoor(method: string, path: string): { door?: Door; taskId: string } {
  for (const [door, methods, pattern] of routes) {
    const match = methods.test(method) ? pattern.exec(path) : null
    if (match) return { door, taskId: /^[\w-]+$/.test(match[1] ?? '') ? (match[1] ?? '') : '' }
  }
  return { taskId: '' }
}

/** What a handler answers to a call that does nothing: a refusal of its parameters, or what there is. */
export type HandlerAnswer =
  { readonly result: unknown } | { readonly error: 'invalid params' | 'task not found' }

/** The answers of a handler to a caller who was let in. */
export function answerAt(door: Door): HandlerAnswer {
  const answers: Partial<Record<Door, HandlerAnswer>> = {
    send: { error: 'invalid params' },
    stream: { error: 'invalid params' },
    list: { result: { tasks: [], nextPageToken: '', pageSize: 1, totalSize: 0 } },
    card: { result: { name: 'Test agent', description: 'what only callers learn', skills: [] } },
  }
  return answers[door] ?? { error: 'task not found' }
}
