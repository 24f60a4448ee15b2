import type { SeedInput } from '../../server/scheme/options.js'
import { isLoopback, shownAddress, type ListenAddress } from '../../service/address.js'
import type { UpstreamAddress } from '../forward/upstream.js'

/** What the warnings depend on. */
export interface StartFacts {
  readonly hasOwnState: boolean
  readonly proxy?:
    | {
        readonly listen: ListenAddress
        readonly isTls: boolean
        readonly upstream: UpstreamAddress
      }
    | undefined
  readonly isAsserted: boolean
}

/** What an operator should know of a gate that starts, one sentence each. */
export function startWarnings(
  { hasOwnState, proxy, isAsserted }: StartFacts,
  peers: ReadonlyMap<string, SeedInput>,
): string[] {
  const warnings: string[] = []
  if (peers.size === 0) warnings.push('there are no peers, so every call is refused; add one first')
  if (hasOwnState && [...peers.values()].some(spendsPlainCodes)) {
    warnings.push(
      'codes that may have been used before this start are answered 503 for the first time steps, since the memory of used codes is new; --redis keeps it',
    )
  }
  if (!proxy) return warnings
  if (!('socket' in proxy.upstream) && !isAsserted) {
    warnings.push(
      'every user of this machine can call the agent at its port and forge the identity; let it listen on a unix socket (--upstream unix:PATH), or sign the identity with --assert-key',
    )
  }
  if (!isLoopback(proxy.listen) && !proxy.isTls) {
    warnings.push(
      `${shownAddress(proxy.listen)} is not encrypted and others can reach it: they can read tokens and codes on the way; add --tls-cert and --tls-key, or end TLS in front`,
    )
  }
  return warnings
}

function spendsPlainCodes(peer: SeedInput): boolean {
  return typeof peer === 'object' && 'seeds' in peer && peer.replay === 'once' && peer.signed !== 'require'
}
