import { hashToken } from '../../src/core/token.js'
import { makeServerFile } from '../../src/fragments/server-json.js'
import { peers, rosterOf, someInstant } from './guarded.js'

/** A server file's document, to be changed before it is written. */
export interface ServerFileDocument {
  [key: string]: unknown
  profile: Record<string, unknown>
  peers: Record<string, Record<string, unknown>>
}

/** What `config server` prints for both peers. */
export function serverFile(): ServerFileDocument {
  const file = makeServerFile({ roster: rosterOf(), at: someInstant })
  return JSON.parse(JSON.stringify(file)) as ServerFileDocument
}

/** One seed of a peer, as the file has it. */
export const seedEntry = (id: string, peer: keyof typeof peers, expiresAt?: string): object => ({
  id,
  seed: peers[peer].seed.base32,
  ...(expiresAt === undefined ? {} : { expiresAt }),
})

/** One token, as the file has it. */
export const tokenEntry = (id: string, token: string, expiresAt?: string): object => ({
  id,
  hash: hashToken(token),
  ...(expiresAt === undefined ? {} : { expiresAt }),
})
