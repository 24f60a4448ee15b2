import type { Cell } from '../target/cells.js'
import { readGrpcAnswer } from '../wire/grpc-answer.js'
import { GrpcConnections } from '../wire/grpc-connections.js'
import type { HttpClient } from '../wire/http.js'
import type { FieldLine } from '../wire/raw-answer.js'
import type { Binding } from './binding.js'
import { encodeRequest, pathOf, prefixBytes } from './grpc-message.js'
import { leavesType } from './http.js'
import { isStream, versionField, versionOf } from './operation.js'
import { proofLines, uncoveredFields } from './proving.js'

/** gRPC: a2a.proto over HTTP/2, without TLS where the cell's URL says http (A2A 1.0 §10, 0.3 §3.2.2). */
export function grpcBinding(cell: Cell, client: HttpClient): Binding {
  const connections = {
    'of-valid-calls': client.grpcConnection(),
    beside: new GrpcConnections(() => client.grpcConnection()),
  }
  return {
    carries: (fields, misfit) => isMetadata(fields) && !leavesType(misfit),
    send: async (connection, operation, credentials, proof) => {
      const protocol = versionOf(cell, operation)
      const path = pathOf(protocol, operation)
      const message = encodeRequest(protocol, operation, cell.tenant)
      const fields = [...versionField(protocol), ...credentials]
      const content = message.subarray(prefixBytes)
      const proving = proof
        ? [
            ...proofLines({ binding: 'grpc', method: 'POST', target: path, fields, content }, proof),
            ...uncoveredFields(proof, protocol, fields),
          ]
        : []
      const answer = await connections[connection].call({
        url: cell.url,
        path,
        fields: [...fields, ...proving],
        message,
        eventPatienceMs: isStream(operation) ? client.eventPatienceMs : undefined,
      })
      return readGrpcAnswer(answer, operation.taskId)
    },
  }
}

/** Metadata is printable ASCII, and Node's HTTP/2 sends Authorization once only. */
function isMetadata(fields: readonly FieldLine[]): boolean {
  const tokens = fields.filter(([name]) => name.toLowerCase() === 'authorization')
  return tokens.length <= 1 && fields.every(([, value]) => /^[\x20-\x7e]*$/.test(value))
}
