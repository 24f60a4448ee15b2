import type { Cell, ProtocolVersion } from '../target/cells.js'
import type { HttpRequest } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { opensStream, type Door } from './methods.js'

/**
 * What a request asks for: `get` a task or `subscribe` to one, by a random id and so without effect, or `send` a
 * message, which has an effect. `door` is any method of the protocol with parameters that do nothing where it is let in.
 */
export type Operation =
  | { readonly name: 'get' | 'subscribe'; readonly taskId: string }
  | { readonly name: 'send'; readonly taskId: string; readonly text: string }
  | { readonly name: 'door'; readonly taskId: string; readonly door: Door; readonly pageSize?: number }

/** How a binding spells an operation. */
export type WriteRequest = (cell: Cell, operation: Operation) => Omit<HttpRequest, 'mostBytes'>

/** The version that an operation is spelled in: a door has its own. */
export function versionOf({ protocol }: Cell, operation: Operation): ProtocolVersion {
  return operation.name === 'door' ? operation.door.protocol : protocol
}

/** Whether an operation opens a stream if it is let in. */
export function isStream(operation: Operation): boolean {
  return operation.name === 'door' ? opensStream(operation.door) : operation.name === 'subscribe'
}

/** The header that names the version; 0.3 has none (A2A 1.0 §3.6). */
export function versionField(protocol: ProtocolVersion): FieldLine[] {
  return protocol === '1.0' ? [['A2A-Version', '1.0']] : []
}

/** A message with one text, in the form of each version. */
export function messageOf(
  style: 'proto' | 'proto-0.3' | 'json-0.3',
  { text, taskId }: { text: string; taskId: string },
): Record<string, unknown> {
  if (style === 'json-0.3') {
    return { kind: 'message', messageId: taskId, role: 'user', parts: [{ kind: 'text', text }] }
  }
  const part = { text }
  return {
    messageId: taskId,
    role: 'ROLE_USER',
    ...(style === 'proto' ? { parts: [part] } : { content: [part] }),
  }
}
