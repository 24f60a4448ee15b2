import { quoteForShell } from '../core/shell.js'
import { comments } from './comments.js'
import type { ClientInput, Fragment } from './fragment.js'
import { requireLive } from './live.js'

/** A call by hand. */
export const clientCurl: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'the line that calls the agent with curl',
  secret: false,
  make: (input) => {
    requireLive(input)
    const { roster, peer } = input
    const url =
      roster.url === undefined
        ? `"\${A2A_TOTP_URL:?set it to the URL of the agent}"`
        : quoteForShell(roster.url)
    return (
      comments([
        `Calls agent "${roster.agent}" as "${peer.name}". Made by \`a2a-totp config client ${peer.name} --format curl\`.`,
        'Nothing in here is secret: token and code go from the store to curl on standard input, made as it runs.',
        'Run it beside the store; add what you want to send, --json DATA for instance.',
      ]) +
      `a2a-totp code ${peer.name} --headers | curl --silent --show-error --fail-with-body --header @- ${url}\n`
    )
  },
}
