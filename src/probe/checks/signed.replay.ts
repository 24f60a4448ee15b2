import type { CellCheck } from './check.js'
import { judgeSigned } from './shared/signed.js'

export const signedReplay: CellCheck = {
  id: 'signed.replay',
  scope: 'cell',
  proves: 'a signed request works once',
  expects: 'refused the second time',
  needs: ['auth.none', 'signed.valid'],
  judge: (cell, evidence) => judgeSigned('signed.replay', cell, evidence),
  means:
    'A signed request that was let in was let in again, byte for byte the same: anyone who records one can send it for as long as its proof lives. The nonce of a proof is good for one request, whatever the method, path or body.',
  fix: [
    'Remember each nonce, by the digest of its seed, until the proof expires, and claim it in one atomic step.',
    'All bindings, processes and replicas must share that memory: use `redisState` of `a2a-totp/server/redis`.',
    'After a restart the memory is empty: refuse proofs that were created before it began, with 503 and Retry-After.',
  ],
}
