import type { Cell } from '../target/cells.js'
import { messageOf, versionField, type Operation, type WriteRequest } from './operation.js'

/** HTTP+JSON (A2A 1.0 §11, 0.3 §3.2.3). */
export const writeRest: WriteRequest = (cell, operation) => {
  const type = cell.protocol === '1.0' ? 'application/a2a+json' : 'application/json'
  const accept = operation.name === 'subscribe' ? 'text/event-stream' : type
  const url = urlOf(cell, operation)
  if (operation.name !== 'send') {
    return { method: 'GET', url, fields: [['Accept', accept], ...versionField(cell)] }
  }
  const style = cell.protocol === '1.0' ? 'proto' : 'proto-0.3'
  return {
    method: 'POST',
    url,
    fields: [['Content-Type', type], ['Accept', accept], ...versionField(cell)],
    body: JSON.stringify({ message: messageOf(style, operation) }),
  }
}

function urlOf({ url, protocol, tenant }: Cell, operation: Operation): URL {
  const prefix = protocol === '0.3' ? '/v1' : tenant === undefined ? '' : `/${encodeURIComponent(tenant)}`
  const tail = {
    get: `/tasks/${operation.taskId}`,
    subscribe: `/tasks/${operation.taskId}:subscribe`,
    send: '/message:send',
  }[operation.name]
  const result = new URL(url)
  result.pathname = result.pathname.replace(/\/$/, '') + prefix + tail
  return result
}
