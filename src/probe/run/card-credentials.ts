import type { ProbeOptions } from '../options.js'
import type { CardCredentials } from '../target/discovery.js'
import { mayTravelTo } from '../target/hosts.js'
import { credentialFields } from './material.js'
import type { ValidCodes } from './valid-codes.js'

/** The most codes to spend on the card under `once`, where each costs a time step: one for each version of it. */
const mostUnderOnce = 2

/** What a card is asked for with where it is refused without; undefined where the network could read it. */
export function cardCredentials(
  options: Pick<ProbeOptions, 'credentials' | 'insecureHttp'>,
  target: URL,
  codes: ValidCodes,
): CardCredentials | undefined {
  if (!mayTravelTo(target, options)) return undefined
  let code = ''
  let asked = 0
  return {
    next: async () => {
      if (codes.once && asked >= mostUnderOnce) return undefined
      asked += 1
      code = await codes.next()
      return credentialFields(options.credentials, code)
    },
    // That a card is served shows nothing of the interfaces: codes may be wrong there.
    noteRefused: () => codes.note(code, 'refused'),
  }
}
