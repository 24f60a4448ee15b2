import type { Cell } from '../target/cells.js'
import type { HttpRequest } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'

/**
 * What a request asks for: `get` a task or `subscribe` to one, by a random id and so without effect, or `send` a
 * message, which has an effect.
 */
export type Operation =
  | { readonly name: 'get' | 'subscribe'; readonly taskId: string }
  | { readonly name: 'send'; readonly taskId: string; readonly text: string }

/** How a binding spells an operation. */
export type WriteRequest = (cell: Cell, operation: Operation) => Omit<HttpRequest, 'mostBytes'>

/** The header that names the version; 0.3 has none (A2A 1.0 §3.6). */
export function versionField({ protocol }: Cell): FieldLine[] {
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
