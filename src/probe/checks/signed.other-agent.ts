import type { CellCheck } from './check.js'
import { judgeSigned, signedWith } from './shared/signed.js'

export const signedOtherAgent: CellCheck = {
  id: 'signed.other-agent',
  scope: 'cell',
  proves: 'a proof for another agent is none here',
  expects: 'refused',
  needs: ['auth.none', 'signed.valid'],
  late: true,
  attempts: (material) =>
    signedWith(material, [
      ["a proof with another agent's key", { key: 'of-another-agent' }],
      ["a proof with another agent's key, under the name of the right one", { key: 'renamed' }],
    ]),
  judge: (cell, evidence) => judgeSigned('signed.other-agent', cell, evidence),
  means:
    'A signed request was let in although its proof was made for another agent. The key of a proof is derived from the seed and the name of the agent; if any name will do, or the key is not looked at, an agent that has the same seed can pass on the requests that it gets.',
  fix: [
    'Derive the key from the name of the agent itself, never from the `keyid` of a request, and refuse any other `keyid`.',
    'Verify the MAC over the whole signature base before anything else is believed.',
    'Give each pair of peer and agent a seed of its own.',
  ],
}
