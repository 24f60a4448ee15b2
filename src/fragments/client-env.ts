import { seedToHandOut, tokenToHandOut } from '../core/live-credentials.js'
import { profileToVariables } from '../core/profile-variables.js'
import { signedOf } from '../core/roster.js'
import { envFile, writableUrl } from './env-file.js'
import type { ClientInput, Fragment } from './fragment.js'

/** Environment variables that `TOTPClientAuthScheme`, `BearerTokenAuth` and `a2a-totp code` read. */
export const clientEnv: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'variables for a shell or a .env file',
  secret: true,
  make: (input) => {
    const { roster, peer } = input
    return envFile(
      [
        `What "${peer.name}" needs to call agent "${roster.agent}". Made by \`a2a-totp config client ${peer.name} --format env\`.`,
        'CONTAINS SECRETS (a token and a seed): keep it at mode 0600, out of version control and out of logs.',
        "Load it with `set -a; . ./FILE; set +a`, or use it as the peer's .env file.",
      ],
      clientVariables(input, writableUrl),
    )
  },
}

/**
 * Returns the variables and their values, without any quoting.
 *
 * @param spellUrl encodes the URL where the format cannot hold it as it is
 * @throws {TOTPError} `ERR_CREDENTIAL_EXPIRED` when the peer has no live seed or no live token.
 */
export function clientVariables(
  { roster, peer, at }: ClientInput,
  spellUrl = (url: string): string => url,
): Record<string, string> {
  return {
    A2A_TOTP_AGENT: roster.agent,
    ...(roster.url === undefined ? {} : { A2A_TOTP_URL: spellUrl(roster.url) }),
    A2A_TOTP_TOKEN: tokenToHandOut(peer, at).token.value,
    A2A_TOTP_SEED: seedToHandOut(roster, peer, at).seed.base32,
    ...profileToVariables({ ...roster.profile, ...peer }),
    ...signedVariable({ roster, peer }),
  }
}

/** Returns the variable for what the agent does with proofs; none for `off`. */
export function signedVariable({
  roster,
  peer,
}: Pick<ClientInput, 'roster' | 'peer'>): Record<string, string> {
  const signed = signedOf(roster, peer)
  return signed === 'off' ? {} : { A2A_TOTP_SIGNED: signed }
}
