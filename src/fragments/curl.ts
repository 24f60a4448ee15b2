import type { ClientInput, Fragment } from './fragment.js'
import { requireLive } from './live.js'
import { comments } from './comments.js'

/** A call by hand. */
export const clientCurl: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'the line that calls the agent with curl',
  secret: false,
  make: (input) => {
    requireLive(input)
    const { roster, peer } = input
    const url =
      roster.url === undefined ? `"\${A2A_TOTP_URL:?set it to the URL of the agent}"` : shellText(roster.url)
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

/** A word that a POSIX shell takes as it stands (POSIX.1-2017, Shell Command Language 2.2.2). */
export function shellText(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
