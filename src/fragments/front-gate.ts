import type { ServerInput } from './fragment.js'
import { defaultFront, isName } from './front-addresses.js'
import type { FrontSource } from './front-sources.js'

/** What the gate behind a front is started with, beside its addresses. */
export const gateOptions = (input: ServerInput): string =>
  (input.frontToken === undefined ? '' : ' --authz-token-file FILE') +
  (requiresProofs(input) ? ' --body-unchecked' : '')

/**
 * What a user should know before using a front.
 *
 * @param main the main one of its files
 */
export const frontWarnings = (main: FrontSource, input: ServerInput): readonly string[] => [
  ...unseenBodies(input),
  ...(main === 'haproxy.cfg' ? namesInDns(input) : []),
]

/** Whether the gate would refuse to start without `--body-unchecked`. */
const requiresProofs = ({ roster }: ServerInput): boolean =>
  roster.signed === 'require' || Array.from(roster.peers.values()).some(({ signed }) => signed === 'require')

const unseenBodies = (input: ServerInput): readonly string[] =>
  requiresProofs(input)
    ? [
        'proofs are required, and a proxy shows the gate no body to compare with them: start the gate with --body-unchecked, or put gate --upstream in its place',
      ]
    : []

/** HAProxy asks the gate by its httpclient, which reads no `/etc/hosts`. */
const namesInDns = ({ front: { gate } = defaultFront }: ServerInput): readonly string[] =>
  isName(gate)
    ? [
        `HAProxy looks up ${gate.host} in DNS alone, and answers 503 where DNS does not know it: pass --gate an IP address, or see that the name is there`,
      ]
    : []
