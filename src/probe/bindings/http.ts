import type { Cell } from '../target/cells.js'
import { readHttpAnswer } from '../wire/http-answer.js'
import type { HttpClient } from '../wire/http.js'
import type { Binding } from './binding.js'
import type { WriteRequest } from './operation.js'

/** A2A answers to these requests have a few hundred bytes; all are kept until they are judged. */
const largestAnswer = 128 * 1024

/** A binding over HTTP/1.1. */
export function httpBinding(cell: Cell, client: HttpClient, write: WriteRequest): Binding {
  const connections = {
    'of-valid-calls': client.connection(cell.url),
    beside: client.connection(cell.url, Infinity),
  }
  return {
    carries: () => true,
    send: async (connection, operation, fields) => {
      const request = write(cell, operation)
      const answer = await client.exchange(connections[connection], {
        ...request,
        mostBytes: largestAnswer,
        fields: [...request.fields, ...fields],
      })
      return readHttpAnswer(answer, operation.taskId)
    },
  }
}
