import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'
import { skipped } from './verdict.js'

export const authCrossPeer: CellCheck = {
  id: 'auth.cross-peer',
  scope: 'cell',
  proves: "a peer's code goes with its own token only",
  expects: 'refused',
  guesses: ({ crossPeer }) => [{ label: "another peer's code", code: crossPeer }],
  judge: (cell, { whyNotSent }) => {
    const why = whyNotSent['auth.cross-peer']
    return why === undefined ? judgeRefusedLate('auth.cross-peer', cell) : skipped(why)
  },
  means:
    "Another peer's code was let in with this token: one peer can act as another once it has the token, and the second factor protects nobody.",
  fix: [
    'Look the seed up by the peer that the token belongs to, and try no other seed.',
    'A shared seed makes this impossible to check: give each peer its own.',
  ],
}
