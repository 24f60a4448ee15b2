import { newestLive, type Peer } from '../core/roster.js'
import { chosen, type Finding } from './finding.js'
import { rotateCommand, type RosterUnderTest } from './rotation-command.js'

const dayMs = 86_400_000

const steps = {
  staged: 'the agent may not know the new credentials yet',
  admitted: 'the agent knows the new credentials, the peer does not',
  delivered: 'the new credentials were delivered, but not seen to work',
  proved: 'the new credentials work, and the old ones are still valid',
} as const

/** Finds what keeps a peer's credentials from being handed out: a rotation that is not finished, a token known by its hash. */
export function auditHandOut(tested: RosterUnderTest, peer: Peer): Finding[] {
  return [...auditPending(tested, peer), ...auditHashOnly(tested, peer)]
}

function auditPending({ roster, at, tool }: RosterUnderTest, { name, pending }: Peer): Finding[] {
  if (!pending) return []
  const fix = (names: readonly string[]): string =>
    `${tool} rotate ${chosen(names, roster.peers.size, '--all')} --resume`
  const since = pending.since.toISOString()
  return [
    {
      id: 'rotation-pending',
      severity: at.getTime() - pending.since.getTime() > dayMs ? 'warning' : 'note',
      subject: name,
      message: `its rotation of ${since} is not finished: ${steps[pending.step]}`,
      fix: fix([name]),
      joint: {
        noun: 'peers',
        message: 'their rotations are not finished: the old credentials are still valid',
        fix,
      },
    },
  ]
}

function auditHashOnly(tested: RosterUnderTest, { name, tokens }: Peer): Finding[] {
  const newest = newestLive(tokens, tested.at)
  if (newest === undefined || newest.token.value !== undefined) return []
  const fix = rotateCommand(tested, 'token')
  const message =
    'only the hash of its token is known: the peer can use it, but it cannot be handed out again'
  return [
    {
      id: 'token-hash-only',
      severity: 'note',
      subject: name,
      message,
      fix: fix([name]),
      joint: { noun: 'peers', message, fix },
    },
  ]
}
