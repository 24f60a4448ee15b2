import { asList, asObject, asText, type JsonObject } from '../../core/json.js'

/** The A2A error in a body, wherever the binding places it. */
export interface ProtocolError {
  readonly code: string
  readonly message: string
  readonly reasons: readonly string[]
}

/** The names of google.rpc.Code that stand for errors. */
const canonicalCodes =
  /^(CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|UNAUTHENTICATED|RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS)$/

/**
 * Finds the error in `{error: {code, message, data}}` (JSON-RPC), `{error: {code, status, message, details}}` (A2A
 * 1.0 REST), `{code, message}` (0.3 REST), RFC 9457 problem details, and `{error: 'word'}` (RFC 6749 §5.2).
 */
export function protocolErrorOf(body: unknown): ProtocolError | undefined {
  const outer = asObject(body)
  const word = asText(outer['error'])
  if (word !== '') {
    const words = [word, asText(outer['error_description']), asText(outer['message'])]
    return { code: word, message: words.filter((one) => one !== '').join(' '), reasons: [] }
  }
  const inner =
    typeof outer['error'] === 'object' && outer['error'] !== null ? asObject(outer['error']) : outer
  const problem = asText(outer['type']).split('/').at(-1) ?? ''
  const named = asText(inner['status'])
  // Without an error object around it a status may be any word, such as that of a health check.
  const isCode = inner !== outer || canonicalCodes.test(named)
  const code = (isCode ? named : '') || (typeof inner['code'] === 'number' ? String(inner['code']) : '')
  if (code === '' && !problem.endsWith('task-not-found')) return undefined
  const details = [...asList(inner['details']), ...asList(inner['data'])]
  const reasons = details
    .map((detail) => asText(asObject(detail)['reason']))
    .filter((reason) => reason !== '')
  if (problem.endsWith('task-not-found')) reasons.push('TASK_NOT_FOUND')
  return { code, message: asText(inner['message']), reasons }
}

/**
 * Whether a body is a result: a JSON-RPC result, a task or a message, which 0.3 calls `msg`. The envelope of a gateway has a
 * field `result` too, in its refusals as well.
 */
export function isResult(body: unknown): boolean {
  const object = asObject(body)
  const holds = ['task', 'msg', 'message'].some((key) => Object.keys(asObject(object[key])).length > 0)
  return holds || 'state' in asObject(object['status']) || ('result' in object && isRpcResult(object))
}

const isRpcResult = (object: JsonObject): boolean =>
  'jsonrpc' in object || 'kind' in asObject(object['result']) || isResult(object['result'])

/** The message of an answer that is not an A2A error, from the fields that frameworks use. */
export function wordsOf(body: unknown): string {
  const { message, msg, detail } = asObject(body)
  return [message, msg, detail].map(asText).join(' ').trim()
}
