import type { Cell } from '../target/cells.js'
import type { FieldLine } from '../wire/raw-answer.js'
import { readHttpAnswer } from '../wire/http-answer.js'
import type { HttpClient } from '../wire/http.js'
import type { Binding } from './binding.js'
import { versionOf, type WriteRequest } from './operation.js'
import { proofLines, uncoveredFields, type Misfit, type Proof } from './proving.js'

/** A2A answers to these requests have a few hundred bytes; all are kept until they are judged. */
const largestAnswer = 128 * 1024

/** A binding over HTTP/1.1. */
export function httpBinding(cell: Cell, client: HttpClient, write: WriteRequest): Binding {
  const connections = {
    'of-valid-calls': client.connection(cell.url),
    beside: client.connection(cell.url, Infinity),
  }
  return {
    // A request for a task has a body, and so a type of content, over JSON-RPC alone.
    carries: (_, misfit) => cell.binding === 'jsonrpc' || !leavesType(misfit),
    send: async (connection, operation, fields, proof) => {
      const request = write(cell, operation)
      const answer = await client.exchange(connections[connection], {
        ...request,
        mostBytes: largestAnswer,
        fields: withProof(request, [...request.fields, ...fields], versionOf(cell, operation), proof),
      })
      return readHttpAnswer(answer, operation.taskId)
    },
  }
}

export const leavesType = (misfit: Misfit | undefined): boolean => misfit?.uncovered === 'content-type'

function withProof(
  { method, url, body = '' }: ReturnType<WriteRequest>,
  fields: readonly FieldLine[],
  version: string,
  proof: Proof | undefined,
): readonly FieldLine[] {
  if (!proof) return fields
  const target = url.pathname + url.search
  const content = Buffer.from(body)
  return [
    ...fields,
    ...proofLines({ binding: 'http', method, target, fields, content }, proof),
    ...uncoveredFields(proof, version, fields),
  ]
}
