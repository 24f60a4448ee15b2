/** A variable of the environment; one that is empty counts as missing. */
export function variable(name: 'A2A_TOTP_SEED' | 'A2A_TOTP_TOKEN'): string | undefined {
  return process.env[name] === '' ? undefined : process.env[name]
}
