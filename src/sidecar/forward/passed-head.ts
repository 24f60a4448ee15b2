import type { IncomingMessage } from 'node:http'
import type { RequestHead } from './exchange.js'
import { linesOf } from './fields.js'
import { readHead, type RefusedHead } from './head.js'

/** Fields that every receiver reads: one that is called a field of this connection would be lost after it was read here. */
const endToEndAlone =
  /^(content-(type|length|encoding|digest)|host|a2a-version|a2a-extensions|grpc-encoding)$/

/** Reads the head of a request that is passed on; see {@link readHead}. */
export function readPassedHead(req: IncomingMessage): RequestHead | RefusedHead {
  const head = readHead(req)
  if ('refused' in head || !linesOf(head.fields, 'connection').some(namesEndToEnd)) return head
  return { refused: 400, why: 'Connection names a field that is not of the connection' }
}

function namesEndToEnd(line: string): boolean {
  return line.split(',').some((name) => endToEndAlone.test(name.trim().toLowerCase()))
}
