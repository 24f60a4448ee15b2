import { fieldLines, type NodeRequest } from '../../server/adapters/http.js'
import type { AuthRequest } from '../../server/scheme/request.js'
import { isGrpcType } from '../forward/grpc.js'

/** The request that a front asks about, as the front describes it. Empty where it does not. */
export interface Original {
  readonly method: string
  readonly target: string
}

/** Reads what a front says of the request that it holds. */
export type ReadOriginal = (req: NodeRequest, rest: string) => Original

/**
 * From two fields that the front sets itself, over whatever the client sent. A second line of one was not written by the
 * front, so neither counts: without method and target a proof is not accepted, and nothing else depends on them.
 */
export const fromFields =
  (methodField: string, targetField: string): ReadOriginal =>
  (req) => ({ method: only(req, methodField), target: only(req, targetField) })

/** The sub-request has the method of the original one, and its target below the endpoint: Envoy's `path_prefix`. */
export const fromTarget: ReadOriginal = (req, rest) => ({
  method: req.method ?? '',
  target: rest.startsWith('/') ? rest : '',
})

/** The one line of a field; empty if there is none, or several. */
export function only(req: NodeRequest, name: string): string {
  const lines = fieldLines(req, name)
  return lines.length === 1 ? (lines[0] ?? '') : ''
}

/** The request that a front holds, for the scheme. */
export class OriginalRequest implements AuthRequest {
  readonly binding: 'http' | 'grpc'
  readonly method: string
  readonly target: string
  readonly body: AuthRequest['body']
  readonly source: string | undefined
  readonly header: AuthRequest['header']

  constructor(
    { method, target }: Original,
    header: AuthRequest['header'],
    source: string | undefined,
    body: AuthRequest['body'],
  ) {
    this.binding = header('content-type').some(isGrpcType) ? 'grpc' : 'http'
    this.method = method
    this.target = target
    this.header = header
    this.source = source
    this.body = body
  }
}
