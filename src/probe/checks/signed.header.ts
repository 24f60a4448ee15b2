import type { CellCheck } from './check.js'
import { judgeSigned, signedWith } from './shared/signed.js'

export const signedHeader: CellCheck = {
  id: 'signed.header',
  scope: 'cell',
  proves: 'a proof covers the fields that decide how a request is read',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: (material) =>
    signedWith(material, [
      ['a proof that leaves content-type uncovered', { uncovered: 'content-type' }],
      ['a proof that leaves a2a-version uncovered', { uncovered: 'a2a-version' }],
    ]),
  judge: (cell, evidence) => judgeSigned('signed.header', cell, evidence),
  means:
    'A signed request was let in with a content-type or an a2a-version that its proof does not cover. These fields decide how the body is read, so anyone who changes them changes what the request means.',
  fix: [
    'Refuse a proof unless it covers content-type, a2a-version and a2a-extensions whenever the request has them; over gRPC, the last two.',
  ],
}
