import type { ServerInput } from './fragment.js'

/** What the gate behind a front is started with, beside its addresses. */
export const gateOptions = (input: ServerInput): string =>
  (input.frontToken === undefined ? '' : ' --authz-token-file FILE') +
  (requiresProofs(input) ? ' --body-unchecked' : '')

/** What a user should know before using a front. */
export const frontWarnings = (input: ServerInput): readonly string[] => unseenBodies(input)

/** Whether the gate would refuse to start without `--body-unchecked`. */
const requiresProofs = ({ roster }: ServerInput): boolean =>
  roster.signed === 'require' || Array.from(roster.peers.values()).some(({ signed }) => signed === 'require')

const unseenBodies = (input: ServerInput): readonly string[] =>
  requiresProofs(input)
    ? [
        'proofs are required, and a proxy shows the gate no body to compare with them: start the gate with --body-unchecked, or put gate --upstream in its place',
      ]
    : []
