const mostNames = 10

/** The command that prints the fragment of a peer, or of each of some peers, for a remark on the next step. */
export function configClientOf(names: readonly string[]): string {
  const [only] = names
  if (only !== undefined && names.length === 1) return `a2a-totp config client ${only}`
  const which = names.length > mostNames ? `each of the ${names.length} peers` : names.join(', ')
  return `a2a-totp config client NAME for ${which}`
}
