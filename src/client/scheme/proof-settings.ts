import { TOTPError } from '../../core/errors.js'
import { isName, nameRule } from '../../core/name.js'
import { parseSigned, type SignedPolicy } from '../../core/proof/profile.js'
import { proofVariables } from './environment.js'
import { parseSignMode, type SignMode } from './request-signer.js'

/** What is known about an agent's proofs, and whether they are made. */
export interface ProofSettings {
  readonly agent: string | undefined
  readonly signed: SignedPolicy | undefined
  readonly sign: SignMode
}

/**
 * @param fromEnvironment whether the variables are about the agent of this seed
 * @throws {TOTPError} `ERR_CONFIG_INVALID` for an invalid option or variable; `ERR_CANNOT_SIGN` if every request is to be
 *   signed and the agent's name is not known
 */
export function proofSettings(given: Partial<ProofSettings>, fromEnvironment: boolean): ProofSettings {
  const inherited = fromEnvironment ? proofVariables() : {}
  const agent = given.agent ?? inherited.agent
  const signed = given.signed === undefined ? inherited.signed : parseSigned(given.signed)
  const sign = effectiveMode(parseSignMode(given.sign ?? 'auto'), signed)
  requireAgentName(agent, sign)
  return { agent, signed, sign }
}

/** What the agent requires of every request is no choice of `auto`. */
function effectiveMode(mode: SignMode, policy: SignedPolicy | undefined): SignMode {
  return mode === 'auto' && policy === 'require' ? 'always' : mode
}

function requireAgentName(agent: string | undefined, mode: SignMode): void {
  if (agent !== undefined && !isName(agent)) {
    throw new TOTPError('ERR_CONFIG_INVALID', `the name of an agent must be ${nameRule}`)
  }
  if (agent !== undefined || mode !== 'always') return
  throw new TOTPError(
    'ERR_CANNOT_SIGN',
    "every request is to be signed, but the agent's name is not known; pass it as agent, or set A2A_TOTP_AGENT beside A2A_TOTP_SEED",
  )
}
