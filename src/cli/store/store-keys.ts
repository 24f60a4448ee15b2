import { readFileSync } from 'node:fs'
import { decodeUtf8 } from '../../core/encoding.js'
import { TOTPError, isTOTPError } from '../../core/errors.js'
import { identityProblem } from '../../store/age-kinds.js'
import { keyMissing, type StoreKeys } from '../../store/protection.js'
import type { Env } from '../../programs/environment.js'
import { pathFrom } from '../io/path.js'
import type { AskHidden } from '../io/questions.js'

const identity = /^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/i

/** Keys of the store from the environment, else from a prompt. Each is prompted for once. */
export function storeKeys(env: Env, where: { readonly cwd: string }, askHidden: AskHidden): StoreKeys {
  // An empty variable counts as missing.
  const found = async (variable: string, question: string): Promise<string | undefined> => {
    const value = env[variable]
    if (value) return value
    return askHidden(question, `set $${variable}`)
  }
  const identities = once(async () => {
    const given = await found('A2A_TOTP_IDENTITY', 'age identity of the store, or a file with one:')
    if (given) return identitiesIn(given.trim(), where)
    throw keyMissing('the store is encrypted; set $A2A_TOTP_IDENTITY to an age identity or a file with one')
  })
  const passphrase = once(async () => {
    const given = await found('A2A_TOTP_PASSPHRASE', 'passphrase of the store:')
    if (given) return given
    throw keyMissing('the store is encrypted with a passphrase; set $A2A_TOTP_PASSPHRASE')
  })
  return { identities, passphrase }
}

/**
 * A passphrase to encrypt with. At a terminal it is prompted for twice.
 *
 * @throws {TOTPError} `ERR_STORE_KEY_MISSING` if there is none; `ERR_USAGE` if the two differ
 */
export async function newPassphrase(env: Env, askHidden: AskHidden): Promise<string> {
  const variable = env['A2A_TOTP_PASSPHRASE']
  if (variable) return variable
  const otherwise = 'set $A2A_TOTP_PASSPHRASE'
  const given = await askHidden('new passphrase:', otherwise)
  if (!given) throw keyMissing(`no passphrase to encrypt with; ${otherwise}`)
  if ((await askHidden('repeat the passphrase:', otherwise)) === given) return given
  throw new TOTPError('ERR_USAGE', 'the two passphrases differ; try again')
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** Identities as age-keygen writes them, one per line and comments after `#`; or the path of a file with some. */
function identitiesIn(given: string, where: { readonly cwd: string }): string[] {
  const inValue = given.includes('\n') || identity.test(given) || identityProblem(given) !== undefined
  const what = inValue ? '$A2A_TOTP_IDENTITY' : 'the file in $A2A_TOTP_IDENTITY'
  const text = inValue ? given : readIdentityFile(pathFrom(where, given), what)
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const own = lines.filter((line) => identity.test(line))
  // Identities of plugins may stand beside those that can be used.
  if (own.length > 0 && lines.every((line) => identity.test(line) || identityProblem(line) !== undefined))
    return own.map((line) => line.toUpperCase())
  const problem = identityProblem(text)
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    problem === undefined
      ? `${what} contains no age identity; use a file made by age-keygen`
      : `${what} is ${problem}`,
  )
}

function readIdentityFile(path: string, what: string): string {
  try {
    return decodeUtf8(readFileSync(path), what, (message) => new TOTPError('ERR_CONFIG_INVALID', message))
  } catch (error) {
    if (isTOTPError(error)) throw error
    const { code } = error as NodeJS.ErrnoException
    // The value is not quoted, since it may be an identity with a typo.
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `$A2A_TOTP_IDENTITY is neither an age identity nor a readable file (${code ?? 'unknown reason'})`,
    )
  }
}
