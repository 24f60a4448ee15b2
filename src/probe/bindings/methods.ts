import { sendMethods } from '../../core/send-methods.js'
import type { BindingName, ProtocolVersion } from '../target/cells.js'

/** What a method of A2A does, whatever its binding and version. */
export type Method =
  | 'send'
  | 'stream'
  | 'get'
  | 'list'
  | 'cancel'
  | 'subscribe'
  | 'set-push'
  | 'get-push'
  | 'list-push'
  | 'delete-push'
  | 'card'

/** A method of the protocol as one binding and version spell it, or an invented one to compare with. */
export interface Door {
  readonly method: Method | 'invented'
  readonly protocol: ProtocolVersion
  /** As a report names it: `message/send`, `POST /v1/message:send`. */
  readonly name: string
  /** In REST, the method of HTTP. */
  readonly verb?: Verb
  /** In REST of 1.0, whether it is below a tenant that no agent has: SDKs serve every route a second time there. */
  readonly isOfTenant?: true
}

export type Verb = 'GET' | 'POST' | 'DELETE'

type Names = Readonly<Partial<Record<Method, string>>>

/** The methods of JSON-RPC (A2A 1.0 §9.4, 0.3 §7). No SDK serves `tasks/list` of 0.3, but agents do. */
export const jsonRpcMethods = {
  '1.0': {
    ...sendMethods['1.0'],
    get: 'GetTask',
    list: 'ListTasks',
    cancel: 'CancelTask',
    subscribe: 'SubscribeToTask',
    'set-push': 'CreateTaskPushNotificationConfig',
    'get-push': 'GetTaskPushNotificationConfig',
    'list-push': 'ListTaskPushNotificationConfigs',
    'delete-push': 'DeleteTaskPushNotificationConfig',
    card: 'GetExtendedAgentCard',
  },
  '0.3': {
    ...sendMethods['0.3'],
    get: 'tasks/get',
    list: 'tasks/list',
    cancel: 'tasks/cancel',
    subscribe: 'tasks/resubscribe',
    'set-push': 'tasks/pushNotificationConfig/set',
    'get-push': 'tasks/pushNotificationConfig/get',
    'list-push': 'tasks/pushNotificationConfig/list',
    'delete-push': 'tasks/pushNotificationConfig/delete',
    card: 'agent/getAuthenticatedExtendedCard',
  },
} as const satisfies Record<ProtocolVersion, Names>

/** The services of a2a.proto. */
export const grpcServices = {
  '1.0': 'lf.a2a.v1.A2AService',
  '0.3': 'a2a.v1.A2AService',
} as const satisfies Record<ProtocolVersion, string>

/** Their methods. */
export const grpcMethods = {
  '1.0': jsonRpcMethods['1.0'],
  '0.3': {
    ...sendMethods['1.0'],
    get: 'GetTask',
    cancel: 'CancelTask',
    subscribe: 'TaskSubscription',
    'set-push': 'CreateTaskPushNotificationConfig',
    'get-push': 'GetTaskPushNotificationConfig',
    'list-push': 'ListTaskPushNotificationConfig',
    'delete-push': 'DeleteTaskPushNotificationConfig',
    card: 'GetAgentCard',
  },
} as const satisfies Record<ProtocolVersion, Names>

type Route = readonly [method: Method, verb: Verb, path: string]

const routes: readonly Route[] = [
  ['send', 'POST', '/message:send'],
  ['stream', 'POST', '/message:stream'],
  ['get', 'GET', '/tasks/{id}'],
  ['list', 'GET', '/tasks'],
  ['cancel', 'POST', '/tasks/{id}:cancel'],
  ['subscribe', 'GET', '/tasks/{id}:subscribe'],
  ['subscribe', 'POST', '/tasks/{id}:subscribe'],
  ['set-push', 'POST', '/tasks/{id}/pushNotificationConfigs'],
  ['list-push', 'GET', '/tasks/{id}/pushNotificationConfigs'],
  ['get-push', 'GET', '/tasks/{id}/pushNotificationConfigs/{id}'],
  ['delete-push', 'DELETE', '/tasks/{id}/pushNotificationConfigs/{id}'],
]

/** The routes of REST below the interface's URL (A2A 1.0 §11.3, 0.3 §7). No SDK serves `GET /v1/tasks` of 0.3. */
const restRoutes: Readonly<Record<ProtocolVersion, readonly Route[]>> = {
  '1.0': [...routes, ['card', 'GET', '/extendedAgentCard']],
  '0.3': [
    ...routes.map(([method, verb, path]): Route => [method, verb, `/v1${path}`]),
    ['card', 'GET', '/v1/card'],
  ],
}

/** A name that no agent serves: the answer to it is what an agent answers to a method that it does not have. */
const inventedName = 'NoSuchMethodOfA2A'

/** The same for a tenant. */
const inventedTenant = 'NoSuchTenantOfA2A'

/** Those that stand for all routes below a tenant: whoever forgot that these are there forgot all. */
const ofTenant: readonly (readonly [Method, Verb])[] = [
  ['send', 'POST'],
  ['get', 'GET'],
  ['list', 'GET'],
]

/** Every method of one binding and version, and the invented ones. */
export function doorsOf(binding: BindingName, protocol: ProtocolVersion): readonly Door[] {
  if (binding === 'rest') {
    const prefix = protocol === '0.3' ? '/v1' : ''
    const invented = (['GET', 'POST'] as const).map(
      (verb) => ['invented', verb, `${prefix}/${inventedName}`] as const,
    )
    const all = [...restRoutes[protocol], ...invented]
    const doors = all.map(([method, verb, path]): Door => ({
      method,
      protocol,
      name: `${verb} ${path}`,
      verb,
    }))
    return protocol === '1.0' ? [...doors, ...all.flatMap(belowTenant)] : doors
  }
  const names: Names = (binding === 'grpc' ? grpcMethods : jsonRpcMethods)[protocol]
  const doors = (Object.entries(names) as [Method, string][]).map(([method, name]) => ({
    method,
    protocol,
    name: binding === 'grpc' ? `${grpcServices[protocol]}/${name}` : name,
  }))
  // gRPC has a status for a method that is not there.
  return binding === 'grpc' ? doors : [...doors, { method: 'invented', protocol, name: inventedName }]
}

/** Whether a method answers with a stream of events. */
export const opensStream = ({ method }: Door): boolean => method === 'stream' || method === 'subscribe'

function belowTenant([method, verb, path]: readonly [Door['method'], Verb, string]): Door[] {
  const isTried = method === 'invented' || ofTenant.some(([one, own]) => one === method && own === verb)
  const name = `${verb} /${inventedTenant}${path}`
  return isTried ? [{ method, protocol: '1.0', name, verb, isOfTenant: true }] : []
}

/** Whether a method has an effect where it is let in with a message that is complete. */
export const sendsMessage = ({ method }: Door): boolean => method === 'send' || method === 'stream'
