import type { Cell } from '../target/cells.js'
import { readGrpcAnswer } from '../wire/grpc/answer.js'
import { encodeRequest, pathOf } from '../wire/grpc/wire.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine } from '../wire/outcome.js'
import { versionField } from './binding.js'
import type { Caller } from './caller.js'

/** gRPC: a2a.proto over HTTP/2, without TLS where the cell's URL says http (A2A 1.0 §10, 0.3 §3.2.2). */
export function grpcCaller(cell: Cell, client: HttpClient): Caller {
  const lanes = { 'valid-connection': client.grpcConnection(), 'other-connection': client.grpcConnection() }
  return {
    carries: isMetadata,
    call: async (lane, operation, fields) => {
      const outcome = await lanes[lane].call({
        url: cell.url,
        path: pathOf(cell.protocol, operation),
        fields: [...versionField(cell), ...fields],
        message: encodeRequest(cell.protocol, operation, cell.tenant),
        ...(operation.name === 'subscribe' ? { eventPatienceMs: client.eventPatienceMs } : {}),
      })
      return readGrpcAnswer(outcome, operation.taskId)
    },
  }
}

/** Metadata is printable ASCII, and Node's HTTP/2 sends Authorization once only. */
function isMetadata(fields: readonly FieldLine[]): boolean {
  const tokens = fields.filter(([name]) => name.toLowerCase() === 'authorization')
  return tokens.length <= 1 && fields.every(([, value]) => /^[\x20-\x7e]*$/.test(value))
}
