import type { CellCheck } from './check.js'
import { judgeSigned, signedWith } from './shared/signed.js'

export const signedBody: CellCheck = {
  id: 'signed.body',
  scope: 'cell',
  proves: 'a proof is good for one body',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: (material) =>
    signedWith(material, [['a proof that was made for another body', { madeFor: 'another body' }]]),
  judge: (cell, evidence) => judgeSigned('signed.body', cell, evidence),
  means:
    'A signed request was let in although its Content-Digest is that of another body. Anyone who can change requests on their way can have the agent act on a body that its peer never sent. For a request without a body, such as a GET, the digest is that of nothing.',
  fix: [
    'Compare the `sha-256` of Content-Digest with the bytes that arrive, before anything parses them, and withhold their end where they differ.',
    'The guards of `a2a-totp/server` do so where they are mounted in front of any body parser; over gRPC, where the service is wrapped by `guardedService`.',
    'Behind a front that asks `a2a-totp gate --authz`, this fails under `accept` with every configuration: the front does not show the gate the body. Run the gate as `--upstream`, or pass `--skip signed.body` where the heads of proofs are enough.',
  ],
}
