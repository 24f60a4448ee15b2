import { isLoopback } from '../core/url.js'
import type { ServerInput } from './fragment.js'
import { defaultAddresses, isName, shownAddress, shownHost, type FrontAddress } from './front-addresses.js'
import type { FrontSource } from './front-sources.js'

/** Where the gate listens, for a front that finds it at an address. It listens at no name. */
export const gateListens = (at: FrontAddress): FrontAddress =>
  isName(at) ? { host: '0.0.0.0', port: at.port } : at

/** What the gate behind a front is started with, beside its addresses. */
export const gateOptions = (input: ServerInput): string =>
  cardOptions(input) +
  (input.frontToken !== undefined || isReached(input) ? ' --authz-token-file FILE' : '') +
  (requiresProofs(input) ? ' --body-unchecked' : '')

/** Where the gate also serves the card it stands in front of the agent there, and patches the agent's own. */
function cardOptions({ roster, front: { card, agent, listen } = defaultAddresses }: ServerInput): string {
  if (card === undefined || shownAddress(card) === shownAddress(agent)) return ''
  const url = roster.url === undefined ? `http://${shownAddress(listen)}` : new URL(roster.url).origin
  return ` --upstream http://${shownAddress(agent)} --listen ${shownAddress(gateListens(card))} --public-url ${url}`
}

/**
 * What a user should know before using a front.
 *
 * @param main the main one of its files
 */
export const frontWarnings = (main: FrontSource, input: ServerInput): readonly string[] => [
  ...unseenBodies(input),
  ...unshownToken(input),
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

/** Whether other machines reach the gate, which then refuses to start without `--authz-token-file`. */
const isReached = ({ front: { gate, gateGrpc } = defaultAddresses }: ServerInput): boolean =>
  [gate, gateGrpc ?? gate].some((at) => !isLoopback({ hostname: shownHost(at) }))

const unshownToken = (input: ServerInput): readonly string[] =>
  isReached(input) && input.frontToken === undefined
    ? [
        'beyond loopback the gate starts with --authz-token-file alone, and answers no proxy that does not send its content: pass the same --authz-token-file here',
      ]
    : []

/** HAProxy asks the gate by its httpclient, which reads no `/etc/hosts`. */
const namesInDns = ({ front: { gate } = defaultAddresses }: ServerInput): readonly string[] =>
  isName(gate)
    ? [
        `HAProxy looks up ${gate.host} in DNS alone, and answers 503 where DNS does not know it: pass --gate an IP address, or see that the name is there`,
      ]
    : []
