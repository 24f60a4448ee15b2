import type { IncomingMessage } from 'node:http'
import type { RequestHead } from '../forward/exchange.js'
import { linesOf } from '../forward/fields.js'
import { readHead, type RefusedHead } from '../forward/head.js'

/** Fields that every receiver reads: one that is called a field of this connection would be lost after it was checked. */
const endToEndAlone =
  /^(content-(type|length|encoding|digest)|host|a2a-version|a2a-extensions|grpc-encoding)$/

/** Reads the head of a request at a gate; see {@link readHead}. */
export function readGateHead(req: IncomingMessage): RequestHead | RefusedHead {
  const head = readHead(req)
  if ('refused' in head || !linesOf(head.fields, 'connection').some(namesEndToEnd)) return head
  return { refused: 400, why: 'Connection names a field that is not of the connection' }
}

function namesEndToEnd(line: string): boolean {
  return line.split(',').some((name) => endToEndAlone.test(name.trim().toLowerCase()))
}
