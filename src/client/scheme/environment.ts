/** Reads a variable of the environment; an empty one counts as missing. */
export function variable(name: 'A2A_TOTP_SEED' | 'A2A_TOTP_TOKEN'): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name]
}
