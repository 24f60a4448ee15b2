import type { CellCheck } from './check.js'
import { judgeSigned, signedWith } from './shared/signed.js'

export const signedTarget: CellCheck = {
  id: 'signed.target',
  scope: 'cell',
  proves: 'a proof is good for one method, path and query',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: (material) =>
    signedWith(material, [
      ['a proof that was made for another path', { madeFor: 'another path' }],
      ['a proof that was made for another query', { madeFor: 'another query' }],
      ['a proof that was made for another method', { madeFor: 'another method' }],
      ['a proof that leaves the path uncovered', { uncovered: '@path' }],
      ['a proof that leaves the query uncovered', { uncovered: '@query' }],
      ['a proof that leaves the method uncovered', { uncovered: '@method' }],
    ]),
  judge: (cell, evidence) => judgeSigned('signed.target', cell, evidence),
  means:
    'A signed request was let in with a proof for another method, path or query, or with one that leaves them out: a request can be turned into another one. Where right signed requests are refused instead (`signed.valid`), a proxy rewrites the path.',
  fix: [
    'Verify over method, path and query as they arrived, and refuse a proof that does not cover all of them.',
    'Behind a proxy that strips the beginning of the path, give `pathPrefix` to the scheme; do not leave the path out.',
  ],
}
