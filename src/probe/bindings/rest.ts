import type { Cell } from '../target/cells.js'
import type { Verb } from './methods.js'
import {
  isStream,
  messageOf,
  versionField,
  versionOf,
  type Operation,
  type WriteRequest,
} from './operation.js'

/** HTTP+JSON (A2A 1.0 §11, 0.3 §3.2.3). */
export const writeRest: WriteRequest = (cell, operation) => {
  const protocol = versionOf(cell, operation)
  const type = protocol === '1.0' ? 'application/a2a+json' : 'application/json'
  const accept = isStream(operation) ? 'text/event-stream' : type
  const [method, url] = targetOf(cell, operation)
  if (method !== 'POST') return { method, url, fields: [['Accept', accept], ...versionField(protocol)] }
  return {
    method,
    url,
    fields: [['Content-Type', type], ['Accept', accept], ...versionField(protocol)],
    body: JSON.stringify(bodyOf(cell, operation)),
  }
}

function bodyOf({ protocol }: Cell, operation: Operation): Record<string, unknown> {
  if (operation.name === 'send') {
    return { message: messageOf(protocol === '1.0' ? 'proto' : 'proto-0.3', operation) }
  }
  if (operation.name !== 'door') return {}
  const { method } = operation.door
  return method === 'send' || method === 'stream' ? { message: {} } : {}
}

function targetOf({ url, protocol, tenant }: Cell, operation: Operation): [Verb, URL] {
  const result = new URL(url)
  const base = result.pathname.replace(/\/$/, '')
  // Only 1.0 has tenants in the path. The names of a door's routes hold the prefix of 0.3.
  const place = tenant === undefined ? '' : `/${encodeURIComponent(tenant)}`
  if (operation.name === 'door') {
    const { door, taskId, pageSize = 1 } = operation
    const path = door.name.replace(/^\S+ /, '').replaceAll('{id}', taskId)
    result.pathname = base + (door.protocol === '1.0' ? place : '') + path
    if (door.method === 'list') result.search = `?pageSize=${pageSize}`
    return [door.verb ?? 'GET', result]
  }
  const prefix = protocol === '0.3' ? '/v1' : place
  const tail = {
    get: `/tasks/${operation.taskId}`,
    subscribe: `/tasks/${operation.taskId}:subscribe`,
    send: '/message:send',
  }[operation.name]
  result.pathname = base + prefix + tail
  return [operation.name === 'send' ? 'POST' : 'GET', result]
}
