import type { Cell } from '../target/cells.js'
import type { HttpClient } from '../wire/http.js'
import type { Binding } from './binding.js'
import { grpcBinding } from './grpc.js'
import { httpBinding } from './http.js'
import { writeJsonRpc } from './jsonrpc.js'
import { writeRest } from './rest.js'

/** The binding of a cell, on its own connections. */
export function bindingOf(cell: Cell, client: HttpClient): Binding {
  switch (cell.binding) {
    case 'jsonrpc':
      return httpBinding(cell, client, writeJsonRpc)
    case 'rest':
      return httpBinding(cell, client, writeRest)
    case 'grpc':
      return grpcBinding(cell, client)
  }
}
