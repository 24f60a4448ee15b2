import { isExposed, isOursToCall, type Place } from '../../core/card/hosts.js'
import type { ProbeOptions } from '../options.js'

/**
 * Whether token and code may be sent to an interface: on the host that the user or the store names, or on one that was
 * allowed by name. A card cannot add other hosts.
 */
export function mayReceiveCredentials(
  place: Place,
  target: URL,
  { trustedUrl, allowHosts }: Pick<ProbeOptions, 'trustedUrl' | 'allowHosts'>,
): boolean {
  const trusted = trustedUrl !== undefined && URL.canParse(trustedUrl) ? [new URL(trustedUrl)] : []
  return isOursToCall(place, { known: [target, ...trusted], allowHosts })
}

/** Whether credentials may travel to a URL: where the network cannot read them, or the user allows that. */
export function mayTravelTo(url: URL, { insecureHttp }: Pick<ProbeOptions, 'insecureHttp'>): boolean {
  return insecureHttp === true || !isExposed(url)
}
