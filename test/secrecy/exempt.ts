/** Options that ask for a secret, or for a picture of one. */
const revealing = new Set(['--reveal', '--qr', '--uri', '--headers'])

/** Commands that exist to print secrets: some of ours, age, git where `doctor` reads versions of a store, and the shell with which tests read an environment file. */
export function existsToShow(argv: readonly string[]): boolean {
  if (argv[0] === 'sh' && argv[2]?.startsWith('set -a; . ./it.env;')) return true
  if (argv[0] === 'age' && argv[1] === '-d') return true
  if (/(^|\/)git$/.test(argv[0] ?? '')) return ['cat-file', 'show'].some((word) => argv.includes(word))
  const ours = argv.findIndex((word) => /(^|\/)a2a-totp(\.cjs)?$/.test(word))
  if (ours < 0) return false
  const words = argv.slice(ours + 1)
  if (words.some((word) => revealing.has(word))) return true
  if (words.includes('config')) return words.includes('client') || words.includes('server')
  return words.includes('export')
}

/**
 * Errors that show a secret by design: those with which a test plants one, to see that nobody repeats it; and
 * commander's, which quote the value of an unknown option. `main` puts these in other words before it prints them.
 */
export function mayShow(raisedAt: string): boolean {
  return /\/test\/.*\.test\.ts:/.test(raisedAt) || raisedAt.includes('/node_modules/commander/')
}
