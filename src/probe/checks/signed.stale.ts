import type { CellCheck } from './check.js'
import { judgeSigned, signedWith } from './shared/signed.js'

export const signedStale: CellCheck = {
  id: 'signed.stale',
  scope: 'cell',
  proves: 'a proof expires',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: (material) =>
    signedWith(material, [
      ['a proof that has expired', { time: 'past' }],
      ['a proof of a time to come', { time: 'future' }],
      ['a proof that is good for a day', { time: 'long' }],
    ]),
  judge: (cell, evidence) => judgeSigned('signed.stale', cell, evidence),
  means:
    'A signed request was let in with a proof that expired long ago, was made for later, or is good for longer than a proof may be. An agent remembers the nonces of proofs until they expire: an old proof that is still let in can be sent again.',
  fix: [
    'Refuse a proof whose `expires` is past, whose `created` is more than (window + 1) × period ahead, or which lives for longer than that.',
    'Check the clock of the agent (`clock`).',
  ],
}
