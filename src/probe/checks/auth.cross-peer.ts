import type { CellCheck } from './check.js'
import { judgeRefusedLate } from './shared/refused.js'
import { skipped } from './verdict.js'

export const authCrossPeer: CellCheck = {
  id: 'auth.cross-peer',
  scope: 'cell',
  proves: "a peer's code works only with its own token",
  expects: 'refused',
  guesses: ({ crossPeer }) => [{ label: "another peer's code", code: crossPeer }],
  judge: (cell, { whyNotSent }) => {
    const why = whyNotSent['auth.cross-peer']
    return why === undefined ? judgeRefusedLate('auth.cross-peer', cell) : skipped(why)
  },
  means:
    "Another peer's code was let in with this token: a peer that has another peer's token can act as that peer, so the second factor adds no protection.",
  fix: [
    'Look up the seed by the peer that the token belongs to, and try no other seed.',
    'With a shared seed this cannot be checked: give each peer its own seed.',
    'Without a second peer in the store it is not checked: `--other-peer NAME` names one.',
  ],
}
