import { randomBytes } from 'node:crypto'
import { makeSeed, type Seed } from '../src/core/seed.js'
import { makeToken } from '../src/core/token.js'
import type { AuthRequest } from '../src/server/scheme/request.js'

/** A peer as a benchmark needs it: both halves of what it was given. */
export interface BenchPeer {
  readonly name: string
  readonly seed: Seed
  readonly token: string
}

export function makePeers(count: number): BenchPeer[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `peer-${index}`,
    seed: makeSeed('SHA1', randomBytes),
    token: makeToken(randomBytes).value,
  }))
}

/** The two field lines of a request, as any binding hands them over. */
export function requestWith(token: string, code: string): AuthRequest {
  const lines: Readonly<Record<string, readonly string[]>> = {
    authorization: [`Bearer ${token}`],
    'x-totp': [code],
  }
  return {
    binding: 'http',
    method: 'POST',
    target: '/',
    header: (name) => lines[name.toLowerCase()] ?? [],
    source: '127.0.0.1',
  }
}
