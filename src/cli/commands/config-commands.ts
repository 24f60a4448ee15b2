// The commands that write what is handed out, for remarks on the next step. Each names a file: without `--out` it would
// print seeds and tokens on the terminal.

const mostNames = 10

/** The command for the server file. */
export const configServer = 'a2a-totp config server --out FILE'

/** The same where the agent has one already. */
export const configServerAgain = `${configServer} --force`

/** The command for the fragment of a peer, or of each of some peers. */
export function configClientOf(names: readonly string[]): string {
  return commandFor(names, (name) => `a2a-totp config client ${name} --out FILE`)
}

/** The same for peers that have one already. */
export function configClientAgain(names: readonly string[]): string {
  return commandFor(names, (name) => `a2a-totp config client ${name} --out FILE --force`)
}

function commandFor(names: readonly string[], command: (name: string) => string): string {
  const [only] = names
  if (only !== undefined && names.length === 1) return command(only)
  const which = names.length > mostNames ? `each of the ${names.length} peers` : names.join(', ')
  return `${command('NAME')} for ${which}`
}
