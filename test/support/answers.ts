import { readGrpcAnswer } from '../../src/probe/wire/grpc-answer.js'
import { readHttpAnswer } from '../../src/probe/wire/http-answer.js'
import type { Answer } from '../../src/probe/wire/answer.js'
import type { HttpAnswer } from '../../src/probe/wire/raw-answer.js'

/** The random id in the requests that the answers belong to. */
export const taskId = '01234567-89ab-4cde-8f01-23456789abcd'

export type Fields = Readonly<Record<string, string>>

/** An answer as it arrives: an object is sent as JSON, a text as it is. */
export function rawAnswer(status: number, body: unknown, fields: Fields = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all: Fields = {
    ...(typeof body === 'string' ? {} : { 'content-type': 'application/json' }),
    ...fields,
  }
  return {
    answered: true,
    status,
    header: (name) =>
      Object.entries(all).flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : [])),
    body: text,
    raw: text,
    receivedAt: new Date(0),
    durationMs: 1,
    localPort: 1,
  }
}

export const overHttp = (status: number, body: unknown = '', fields: Fields = {}): Answer =>
  readHttpAnswer(rawAnswer(status, body, fields), taskId)

/** An answer with a gRPC status, or (undefined) with that of HTTP alone. */
export const overGrpc = (code: number | undefined, message = '', fields: Fields = {}): Answer =>
  readGrpcAnswer(
    rawAnswer(200, '', {
      'content-type': 'application/grpc',
      ...(code === undefined
        ? {}
        : { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(message) }),
      ...fields,
    }),
    taskId,
  )

export const html = (body: string, server?: string): readonly [body: string, fields: Fields] => [
  body,
  { 'content-type': 'text/html', ...(server === undefined ? {} : { server }) },
]

export const rpcError = (code: number, message: string, rest: object = {}): object => ({
  jsonrpc: '2.0',
  id: 1,
  error: { code, message, ...rest },
})
