import { canariesOf, policiesOf, seedsOf, type Canary, type Peer, type Roster } from '../../../core/roster.js'
import { inContext } from '../../context.js'
import { agesOf, noteOf, overlapOf, pendingOf, viewRoster } from './peer-view.js'
import { tableIn } from '../../io/table.js'

export const define = inContext((command, { store, output, now }) =>
  command
    .addHelpText(
      'after',
      `
Prints no secrets. "+1 for 23h" after an id means that an older credential is valid for another 23 hours, an overlap.
AGE is that of the seed and the token in use, as 40d/2h where they differ.
PENDING, if there is one, is a rotation with a delivery that is not finished: rotate --resume goes on with it.
A canary (add-peer --canary) has no seed and no codes.

Examples:
  $ a2a-totp list
  $ a2a-totp list --json | jq -r '.peers[].name'`,
    )
    .action(async () => {
      const roster = await store.read()
      const peers = [...roster.peers.values(), ...canariesOf(roster)]
      const header = ['NAME', 'SEED', 'TOKEN', 'AGE', 'CODES', 'REPLAY', 'SIGNED', 'NOTE']
      const [head = [], ...rows] = withPending(
        [header, ...peers.map((peer) => row(roster, peer, now()))],
        ['PENDING', ...peers.map((peer) => pendingOf(peer, now()))],
      )
      const text = peers.length === 0 ? '' : tableIn(output.width, head, rows)
      output.result(text, viewRoster(roster, peers))
      if (peers.length === 0) output.say('no peers yet; next: a2a-totp add-peer NAME')
    }),
)

/** A column before the notes, which is there only when a rotation is pending. */
function withPending(rows: readonly string[][], column: readonly string[]): readonly string[][] {
  if (column.slice(1).every((cell) => cell === '')) return rows
  return rows.map((cells, index) => [
    ...cells.slice(0, -1),
    column[index] === '' ? '-' : (column[index] ?? '-'),
    ...cells.slice(-1),
  ])
}

function row(roster: Roster, peer: Peer | Canary, now: Date): string[] {
  if (!('seeds' in peer)) {
    const tokens = overlapOf(peer.tokens, now)
    return [peer.name, 'canary', tokens, agesOf(roster, peer, now), '-', '-', '-', noteOf(peer)]
  }
  const { replay, signed } = policiesOf(roster, peer)
  return [
    peer.name,
    overlapOf(seedsOf(roster, peer), now),
    overlapOf(peer.tokens, now),
    agesOf(roster, peer, now),
    `${peer.algorithm} ${peer.digits}/${peer.period}s`,
    replay,
    signed,
    noteOf(peer),
  ]
}
