import type { ProbeCredentials } from '../../probe/index.js'
import type { Pair, Removed } from './pairs.js'

/** What is sent for a pair that has to be refused, and how to say what came of it; none where nothing can be sent. */
export function refusalsOf(pair: Pair): Refusal[] {
  const { edge, over, standing, peer, agent, removed } = pair
  const asRemoved = removed.map((one): Refusal => ({
    removed: one,
    credentials: one.credentials,
    live: false,
    refused: 'removed, and refused with the credentials that it had',
    letIn: `a removed peer is still let in: deliver the server file of ${agent.name}`,
  }))
  const rotate = `\`a2a-totp mesh rotate --only ${peer}:${agent.name}\``
  if (edge && standing.kind === 'ended' && standing.credentials) {
    const ended: Refusal = {
      credentials: standing.credentials,
      live: false,
      refused: over ? 'expired, and refused' : `expired, and refused; for new credentials run ${rotate}`,
      letIn: `expired, and still let in: deliver the server file of ${agent.name}, and look at its clock`,
    }
    return [ended, ...asRemoved]
  }
  if (standing.kind !== 'live' || isLetIn(pair)) return asRemoved
  const surplus: Refusal = {
    credentials: standing.credentials,
    live: true,
    refused: edge ? 'its time is over, and it is refused' : 'not declared, and refused',
    letIn: edge
      ? 'the file says that its time is over, and it is let in: run `a2a-totp mesh apply`'
      : 'the file does not declare it, and it is let in: run `a2a-totp mesh apply --prune`, or declare it',
  }
  return [surplus, ...asRemoved]
}

/** Credentials to send to the agent that they are of, which has to refuse them. */
export interface Refusal {
  /** Undefined where they cannot be sent. */
  readonly credentials: ProbeCredentials | undefined
  readonly live: boolean
  readonly refused: string
  readonly letIn: string
  readonly removed?: Removed
}

const isLetIn = ({ edge, over }: Pair): boolean => edge !== undefined && !over
