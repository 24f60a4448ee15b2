import type { Cell } from '../target/cells.js'
import { messageOf, versionField, type Operation, type WriteRequest } from './operation.js'

const methods = {
  '1.0': { get: 'GetTask', subscribe: 'SubscribeToTask', send: 'SendMessage' },
  '0.3': { get: 'tasks/get', subscribe: 'tasks/resubscribe', send: 'message/send' },
} as const

/** JSON-RPC 2.0 over POST (A2A 1.0 §9, 0.3 §3.2.1). */
export const writeJsonRpc: WriteRequest = (cell, operation) => ({
  method: 'POST',
  url: cell.url,
  fields: [
    ['Content-Type', 'application/json'],
    ['Accept', operation.name === 'subscribe' ? 'text/event-stream' : 'application/json'],
    ...versionField(cell),
  ],
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: methods[cell.protocol][operation.name],
    params: paramsOf(cell, operation),
  }),
})

function paramsOf({ protocol, tenant }: Cell, operation: Operation): Record<string, unknown> {
  const style = protocol === '1.0' ? 'proto' : 'json-0.3'
  const params =
    operation.name === 'send' ? { message: messageOf(style, operation) } : { id: operation.taskId }
  return tenant === undefined ? params : { tenant, ...params }
}
