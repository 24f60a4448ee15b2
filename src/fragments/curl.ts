import { signedOf, type Roster } from '../core/roster.js'
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
    return signedOf(roster, peer) === 'require' ? signedCall(input) : plainCall(input)
  },
}

const options = '--silent --show-error --fail-with-body --header @-'

function plainCall({ roster, peer }: ClientInput): string {
  return (
    comments([
      ...headOf({ roster, peer }),
      'Run it in the folder of the store, and add what to send, for example --json DATA.',
    ]) + `a2a-totp code ${peer.name} --headers | curl ${options} ${urlOf(roster)}\n`
  )
}

/** Nothing is sent if the request cannot be signed: in a pipe curl would run anyway. */
function signedCall({ roster, peer }: ClientInput): string {
  const url = urlOf(roster)
  return (
    comments([
      ...headOf({ roster, peer }),
      'The request is signed, because the agent lets in nothing else: it is sent once, and exactly as it was signed.',
      'Run it in the folder of the store, with the message to send in request.json.',
    ]) +
    [
      `headers=$(a2a-totp code ${peer.name} --headers --for POST ${url} --body request.json \\`,
      `  --with 'Content-Type: application/json' --with 'A2A-Version: 1.0') &&`,
      `  printf '%s\\n' "$headers" | curl ${options} --data-binary @request.json ${url}\n`,
    ].join('\n')
  )
}

const headOf = ({ roster, peer }: Pick<ClientInput, 'roster' | 'peer'>): string[] => [
  `Calls agent "${roster.agent}" as "${peer.name}". Made by \`a2a-totp config client ${peer.name} --format curl\`.`,
  'Not secret: the command reads the token and makes the code when it runs, and passes both to curl on standard input.',
]

/** As a word of the shell. */
const urlOf = ({ url }: Roster): string =>
  url === undefined ? `"\${A2A_TOTP_URL:?set it to the agent URL}"` : quoteForShell(printableUrl(url))
