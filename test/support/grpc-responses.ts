import type { ServerHttp2Stream } from 'node:http2'

/**
 * Answers a gRPC call with a status and nothing else.
 *
 * @param sendDate whether the clock of this process shows
 */
export function respond(
  stream: ServerHttp2Stream,
  code: number,
  message: string,
  extra: Readonly<Record<string, string | readonly string[]>> = {},
  { sendDate = true }: { readonly sendDate?: boolean } = {},
): void {
  if (stream.destroyed) return
  const fields = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': String(code),
    'grpc-message': encodeURIComponent(message),
    ...extra,
  }
  stream.respond(fields, { endStream: true, sendDate } as object)
}
