import type { Version } from './agent-card.js'
import type { Door } from './agent-doors.js'

/** How a gateway calls a method of gRPC over REST, below the interface's URL. */
export interface RestCall {
  readonly version: Version
  readonly door: Door
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** For the first text of the message: a task's id, or its name in 0.3. */
  readonly path: (first: string) => string
}

const services = { '1.0': 'lf.a2a.v1.A2AService', '0.3': 'a2a.v1.A2AService' } as const

/** Methods of a2a.proto, 1.0 and 0.3, and the routes that stand for them; `{id}` is a task's. */
const table: readonly (readonly [
  Door,
  name10: string | null,
  name03: string | null,
  RestCall['method'],
  string,
])[] = [
  ['get', 'GetTask', 'GetTask', 'GET', '/tasks/{id}'],
  ['subscribe', 'SubscribeToTask', 'TaskSubscription', 'GET', '/tasks/{id}:subscribe'],
  ['send', 'SendMessage', 'SendMessage', 'POST', '/message:send'],
  ['stream', 'SendStreamingMessage', 'SendStreamingMessage', 'POST', '/message:stream'],
  ['list', 'ListTasks', null, 'GET', '/tasks'],
  ['cancel', 'CancelTask', 'CancelTask', 'POST', '/tasks/{id}:cancel'],
  [
    'set-push',
    'CreateTaskPushNotificationConfig',
    'CreateTaskPushNotificationConfig',
    'POST',
    '/tasks/{id}/pushNotificationConfigs',
  ],
  [
    'get-push',
    'GetTaskPushNotificationConfig',
    'GetTaskPushNotificationConfig',
    'GET',
    '/tasks/{id}/pushNotificationConfigs/one',
  ],
  [
    'list-push',
    'ListTaskPushNotificationConfigs',
    'ListTaskPushNotificationConfig',
    'GET',
    '/tasks/{id}/pushNotificationConfigs',
  ],
  [
    'delete-push',
    'DeleteTaskPushNotificationConfig',
    'DeleteTaskPushNotificationConfig',
    'DELETE',
    '/tasks/{id}/pushNotificationConfigs/one',
  ],
  ['card', 'GetExtendedAgentCard', null, 'GET', '/extendedAgentCard'],
  ['card', null, 'GetAgentCard', 'GET', '/card'],
]

/** The REST call that a gRPC path stands for, if any. */
export function restCallOf(grpcPath: string): RestCall | undefined {
  for (const [door, name10, name03, method, route] of table) {
    const version = (['1.0', '0.3'] as const).find(
      (one) => grpcPath === `/${services[one]}/${(one === '1.0' ? name10 : name03) ?? ''}`,
    )
    if (version === undefined) continue
    const prefix = version === '1.0' ? '/rest' : '/rest/v1'
    const idIn = (first: string): string => first.replace(/^tasks\//, '').replace(/[^\w-].*$/, '') || 'none'
    return { version, door, method, path: (first) => prefix + route.replace('{id}', idIn(first)) }
  }
  return undefined
}
