import { TOTPError } from '../../../core/errors.js'
import { parseName } from '../../../core/name.js'
import { withAgentName, withRenamed } from '../../../core/rename.js'
import { peerArgument } from '../../completes.js'
import { inContext } from '../../context.js'
import { refuseTogether } from '../../options.js'
import { configClientAgain } from '../config-commands.js'
import { changeStore } from './whole-change.js'

interface RenameOptions {
  agent?: string
  yes?: true
}

export const define = inContext((command, context) =>
  command
    .argument(...peerArgument('[old]', 'the peer or canary'))
    .argument('[new]', 'its new name')
    .option('--agent <name>', 'rename the agent instead')
    .option('--yes', 'do not ask before renaming an agent that has peers')
    .addHelpText(
      'after',
      `
A peer keeps its seeds and tokens, so its calls go on; the agent knows it by the new name once it has the new server
file. What the agent keeps under the old name, such as tasks, is then lost to the peer.
The agent's name is in every fragment: renaming it asks first if there are peers, or needs --yes.

Examples:
  $ a2a-totp rename alice alicia
  $ a2a-totp rename --agent invoices --yes`,
    )
    .action(async (from: string | undefined, to: string | undefined, { agent, yes }: RenameOptions) => {
      if (agent !== undefined) {
        refuseTogether({ '--agent': agent, NAME: from })
        parseName(agent, 'agent')
        await changeStore(context, yes, (roster) => withAgentName(roster, agent))
        return
      }
      if (from === undefined || to === undefined)
        throw new TOTPError('ERR_USAGE', 'two names are needed: a2a-totp rename OLD NEW; or --agent NEW')
      await changeStore(
        context,
        yes,
        (roster) => withRenamed(roster, from, to),
        ({ changed, after }) => (changed.length > 0 && after.peers.has(to) ? remarksOn(from, to) : []),
      )
    }),
)

/** What follows from the new name of a peer. Nobody calls as a canary, so of one nothing does. */
const remarksOn = (from: string, to: string): string[] => [
  `tasks that the agent keeps for ${from} are lost to ${to}: its user name there changes`,
  `the fragment that ${from} has stays valid; hand it out again (${configClientAgain([to])}) only where the format has the name, as json does`,
]
