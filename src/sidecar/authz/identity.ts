import type { AuthOutcome, Caller } from '../../server/scheme/outcome.js'

/** The field that says how a caller was let in: `code` or `signed-head`. For the front's own log. */
export const proofField = 'TotpProof'

/** What the agent is told of a caller, as names and values. */
export type Identity = readonly (readonly [name: string, value: string])[]

export type IdentityOf = (caller: Caller) => Identity

/** Without a challenge, since it is not the caller's fault. */
const failed: AuthOutcome = { refusal: { kind: 'unavailable', reason: 'guard-failed', challenges: [] } }

/** What is decided, and what the agent is told. Who cannot be named in a field is not let in. */
export function withIdentity(
  outcome: AuthOutcome,
  identityOf: IdentityOf,
): { readonly outcome: AuthOutcome; readonly identity: Identity } {
  if (!outcome.caller) return { outcome, identity: [] }
  try {
    const identity = identityOf(outcome.caller)
    const isWhole = identity.every(([, value]) => /^[!-~](?:[ -~]*[!-~])?$/.test(value))
    if (isWhole) return { outcome, identity }
  } catch {
    // An assertion that cannot be signed names nobody.
  }
  return { outcome: failed, identity: [] }
}
