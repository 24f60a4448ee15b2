import { readHttpAnswer } from '../wire/answers.js'
import type { Cell } from '../target/cells.js'
import type { HttpClient } from '../wire/http.js'
import type { WriteRequest } from './binding.js'
import type { Caller } from './caller.js'

/** An A2A answer to these requests has a few hundred bytes; all are kept until they are judged. */
const largestAnswer = 128 * 1024

/** Calls a cell over HTTP/1.1. */
export function httpCaller(cell: Cell, client: HttpClient, write: WriteRequest): Caller {
  const lanes = {
    'valid-connection': client.connection(cell.url),
    'other-connection': client.connection(cell.url),
  }
  return {
    carries: () => true,
    call: async (lane, operation, fields) => {
      const request = write(cell, operation)
      const outcome = await client.exchange(lanes[lane], {
        ...request,
        mostBytes: largestAnswer,
        fields: [...request.fields, ...fields],
      })
      return readHttpAnswer(outcome, operation.taskId)
    },
  }
}
