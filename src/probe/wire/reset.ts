import type { Trouble } from './raw-answer.js'

/** The error codes of HTTP/2 by number (RFC 9113 §7). */
const names = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const

const hints: Partial<Record<string, string>> = {
  ENHANCE_YOUR_CALM: 'something limits the requests of a connection; probe it with a lower --rate',
  REFUSED_STREAM: 'the server takes no more calls on a connection; probe it with a lower --rate',
  HTTP_1_1_REQUIRED: 'gRPC needs HTTP/2: check what is in front of the agent',
}

/** Explains a call that the server ended by RST_STREAM, or with the whole connection by GOAWAY. */
export function resetTrouble(by: 'RST_STREAM' | 'GOAWAY', code: number): Trouble {
  const name = names[code] ?? 'an unknown code'
  const what = by === 'GOAWAY' ? 'ended the connection' : 'reset the call'
  const hint = hints[name]
  return {
    reason: 'broken',
    explanation: `the agent ${what} (${by} ${name})`,
    ...(hint !== undefined && { hint }),
  }
}
