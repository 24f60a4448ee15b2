import { quoteForShell } from '../core/shell.js'
import { printableUrl } from '../core/text.js'
import { comments } from './comments.js'
import type { ClientInput, Fragment } from './fragment.js'
import { requireLive } from './live.js'

/** A call from a shell. */
export const clientCurl: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a curl command that calls the agent',
  secret: false,
  make: (input) => {
    requireLive(input)
    const { roster, peer } = input
    const url =
      roster.url === undefined
        ? `"\${A2A_TOTP_URL:?set it to the agent URL}"`
        : quoteForShell(printableUrl(roster.url))
    return (
      comments([
        `Calls agent "${roster.agent}" as "${peer.name}". Made by \`a2a-totp config client ${peer.name} --format curl\`.`,
        'Not secret: the command reads the token and makes the code when it runs, and passes both to curl on standard input.',
        'Run it in the folder of the store, and add what to send, for example --json DATA.',
      ]) +
      `a2a-totp code ${peer.name} --headers | curl --silent --show-error --fail-with-body --header @- ${url}\n`
    )
  },
}
