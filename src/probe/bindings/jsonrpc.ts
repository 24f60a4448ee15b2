import type { Cell } from '../target/cells.js'
import { jsonRpcMethods, type Door } from './methods.js'
import {
  isStream,
  messageOf,
  versionField,
  versionOf,
  type Operation,
  type WriteRequest,
} from './operation.js'

/** JSON-RPC 2.0 over POST (A2A 1.0 §9, 0.3 §3.2.1). */
export const writeJsonRpc: WriteRequest = (cell, operation) => {
  const protocol = versionOf(cell, operation)
  return {
    method: 'POST',
    url: cell.url,
    fields: [
      ['Content-Type', 'application/json'],
      ['Accept', isStream(operation) ? 'text/event-stream' : 'application/json'],
      ...versionField(protocol),
    ],
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: operation.name === 'door' ? operation.door.name : jsonRpcMethods[protocol][operation.name],
      params: paramsOf(cell, operation),
    }),
  }
}

function paramsOf({ protocol, tenant }: Cell, operation: Operation): Record<string, unknown> {
  const style = protocol === '1.0' ? 'proto' : 'json-0.3'
  const params =
    operation.name === 'send'
      ? { message: messageOf(style, operation) }
      : operation.name === 'door'
        ? doorParams(operation.door, operation)
        : { id: operation.taskId }
  return tenant === undefined ? params : { tenant, ...params }
}

/** Parameters that do nothing where they are let in: an empty message, ids that nothing has, one row of a list. */
function doorParams(
  { method, protocol }: Door,
  { taskId, pageSize = 1 }: { readonly taskId: string; readonly pageSize?: number },
): Record<string, unknown> {
  switch (method) {
    case 'send':
    case 'stream':
      return { message: {} }
    case 'list':
      return { pageSize }
    case 'card':
      return {}
    case 'set-push':
      return protocol === '1.0' ? { taskId } : { taskId, pushNotificationConfig: {} }
    case 'get-push':
    case 'delete-push':
      return protocol === '1.0' ? { taskId, id: taskId } : { id: taskId, pushNotificationConfigId: taskId }
    case 'list-push':
      return protocol === '1.0' ? { taskId, pageSize } : { id: taskId }
    case 'get':
    case 'cancel':
    case 'subscribe':
    case 'invented':
      return { id: taskId }
  }
}
