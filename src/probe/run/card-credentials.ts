import { otherAgentAt } from '../../core/card/others.js'
import type { ProbeOptions } from '../options.js'
import type { CardCredentials } from '../target/discovery.js'
import { mayTravelTo } from '../target/hosts.js'
import { proofLines } from '../bindings/proving.js'
import { credentialFields } from './material.js'
import type { Proofs } from './proofs.js'
import type { ValidCodes } from './valid-codes.js'

/** The most codes to spend on the card under `once`, where each costs a time step: one for each version of it. */
const mostUnderOnce = 2

/** What a card is asked for with where it is refused without; undefined where the network could read it. */
export function cardCredentials(
  options: Pick<ProbeOptions, 'credentials' | 'insecureHttp' | 'otherAgents'>,
  target: URL,
  { codes, proofs }: { readonly codes: ValidCodes; readonly proofs: Proofs },
): CardCredentials | undefined {
  if (!mayTravelTo(target, options)) return undefined
  let code = ''
  let asked = 0
  return {
    next: async ({ url, fields, challenges }) => {
      // The card at the origin may be that of another agent.
      if (otherAgentAt({ url }, target, options.otherAgents ?? [])) return undefined
      if (proofs.policy === undefined) proofs.learnFromChallenges(challenges)
      if (codes.once && asked >= mostUnderOnce) return undefined
      asked += 1
      code = await codes.next()
      const own = credentialFields(options.credentials, code)
      const proof = proofs.for({ fields: own })
      if (!proof) return own
      const path = url.pathname + url.search
      const sent = [...fields, ...own]
      const content = Buffer.alloc(0)
      return [
        ...own,
        ...proofLines({ binding: 'http', method: 'GET', target: path, fields: sent, content }, proof),
      ]
    },
    // That a card is served shows nothing of the interfaces: codes may be wrong there.
    noteRefused: () => codes.note(code, 'refused'),
  }
}
