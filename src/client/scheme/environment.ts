import { TOTPError } from '../../core/errors.js'
import { isName, nameRule } from '../../core/name.js'
import { signedRule, type SignedPolicy } from '../../core/proof/profile.js'
import { parseWord } from '../../core/words.js'

/** Reads a variable of the environment; an empty one counts as missing. */
export function variable(
  name: 'A2A_TOTP_SEED' | 'A2A_TOTP_TOKEN' | 'A2A_TOTP_AGENT' | 'A2A_TOTP_SIGNED',
): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name]
}

/**
 * Reads what an environment says about proofs: the agent's name and its policy.
 *
 * @throws {TOTPError} `ERR_CONFIG_INVALID` with the name of the variable whose value is not allowed
 */
export function proofVariables(): { readonly agent?: string; readonly signed?: SignedPolicy } {
  const agent = variable('A2A_TOTP_AGENT')
  if (agent !== undefined && !isName(agent)) {
    throw new TOTPError('ERR_CONFIG_INVALID', `$A2A_TOTP_AGENT: the name of an agent must be ${nameRule}`)
  }
  const text = variable('A2A_TOTP_SIGNED')
  const signed = text === undefined ? undefined : parseWord('$A2A_TOTP_SIGNED: signed', signedRule, text)
  return { ...(agent !== undefined && { agent }), ...(signed !== undefined && { signed }) }
}
