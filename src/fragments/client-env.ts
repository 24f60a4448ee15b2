import { defaultProfile } from '../core/profile.js'
import { envFile, writableUrl } from './env-file.js'
import type { ClientInput, Fragment } from './fragment.js'
import { seedToHandOut, tokenToHandOut } from './live.js'

/** The variables that `TOTPClientAuthScheme`, `BearerTokenAuth` and `a2a-totp code` read. */
export const clientEnv: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'variables for a shell or a .env file',
  secret: true,
  make: (input) => {
    const { roster, peer } = input
    return envFile(
      [
        `What "${peer.name}" needs to call agent "${roster.agent}". Made by \`a2a-totp config client ${peer.name} --format env\`.`,
        'CONTAINS SECRETS, a token and a seed: keep it mode 0600, out of version control and out of logs.',
        'Load it with `set -a; . ./FILE; set +a`, or as the .env file of the peer.',
      ],
      {
        A2A_TOTP_AGENT: roster.agent,
        ...(roster.url === undefined ? {} : { A2A_TOTP_URL: writableUrl(roster.url) }),
        A2A_TOTP_TOKEN: tokenToHandOut(input).token.value,
        A2A_TOTP_SEED: seedToHandOut(input).seed.base32,
        ...unusual(input),
      },
    )
  },
}

/** The parts of the profile that a client would not assume. */
function unusual({ roster, peer }: ClientInput): Record<string, string> {
  const variables = {
    A2A_TOTP_ALGORITHM: [peer.algorithm, defaultProfile.algorithm],
    A2A_TOTP_DIGITS: [peer.digits, defaultProfile.digits],
    A2A_TOTP_PERIOD: [peer.period, defaultProfile.period],
    A2A_TOTP_HEADER: [roster.profile.header, defaultProfile.header],
  } as const
  return Object.fromEntries(
    Object.entries(variables)
      .filter(([, [value, usual]]) => value !== usual)
      .map(([variable, [value]]) => [variable, String(value)]),
  )
}
