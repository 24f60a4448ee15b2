import { isObject } from '../core/json.js'
import { isName, quoteName } from '../core/name.js'
import { otherKindNamed } from '../core/other-kinds.js'
import { isHeaderName } from '../core/profile.js'
import { jsonText } from '../core/text.js'
import { isCredentialBytes, isCredentialKey, isCredentialText } from './credential-likeness.js'
import { invalidImport, type Fields } from './fields.js'
import { otherKind } from './other-kinds.js'

type Path = readonly string[]

/** Deeper than anything that people or tools write. */
const deepest = 32

/**
 * Requires that an object contains no credential besides those that the caller reads. A peer whose seed or token was
 * overlooked would get a new one, unknown to its owner, and the import would look successful.
 *
 * @param read the keys whose values the caller checks
 * @throws {TOTPError} `ERR_IMPORT_INVALID` with the path of the key, at any depth, and never its value
 */
export function requireUnderstood(fields: Fields, read: ReadonlySet<string>): void {
  const refuse = (words: string): never => {
    throw invalidImport(words)
  }
  const open: [path: Path, value: unknown][] = []
  for (const [key, value] of Object.entries(fields))
    if (!read.has(key) && !isPlain(key, value)) open.push([[key], value])
  // The list grows during the loop: recursion could exhaust the stack.
  for (const [path, value] of open) {
    const key = path.at(-1) ?? ''
    if (isOtherKind(key, value)) throw otherKind(value)
    if (isCredentialKey(key)) refuse(isBareList(key, value) ? withoutValues : unknownKey(path))
    if (holdsCredential(value)) refuse(unknownValue(path))
    if (typeof value !== 'object' || value === null) continue
    if (path.length === deepest) throw invalidImport('this is nested too deeply')
    for (const [name, inner] of Object.entries(value)) open.push([[...path, name], inner])
  }
}

/** Known values that are not credentials, whatever they look like: a name may be 16 letters of base32. */
function isPlain(key: string, value: unknown): boolean {
  if (typeof value !== 'string') return false
  if (key === 'name' || key === 'peer' || key === 'agent') return isName(value)
  if (key === 'header') return isHeaderName(value)
  return key === 'url' && /^https?:(?!.*otpauth)/i.test(value)
}

function isOtherKind(key: string, value: unknown): boolean {
  return (
    /type|kind|encoder|algo/i.test(key) && typeof value === 'string' && otherKindNamed(value) !== undefined
  )
}

function holdsCredential(value: unknown): boolean {
  return typeof value === 'string'
    ? isCredentialText(value)
    : Array.isArray(value) && isCredentialBytes(value)
}

/** Whether this is what `list`, `show` and `add-peer` print: ids of credentials without the credentials. */
function isBareList(key: string, value: unknown): boolean {
  if (key === 'seedId' || key === 'tokenId') return true
  const bare = (one: unknown): boolean => isObject(one) && 'id' in one && !('seed' in one || 'token' in one)
  return (key === 'seeds' || key === 'tokens') && Array.isArray(value) && value.every(bare)
}

const withoutValues =
  'this lists credentials without their values, as `list` and `show` print them; pass the output of `a2a-totp export --reveal`'

const remedy =
  'rename the key of a seed to "seed" and of a token to "token", or pass key URIs (otpauth://totp/...), one per line'

function unknownKey(path: Path): string {
  return `${shown(path)} looks like a credential, but import does not know this key; ${remedy}`
}

function unknownValue(path: Path): string {
  return `the value of ${shown(path)} looks like a seed, a token or a key URI, but import does not know this key; ${remedy}`
}

/** A key may be a misplaced secret, or contain terminal control characters. A long one in camel case is a word. */
function shown(path: Path): string {
  const isWord = (key: string): boolean => /^[a-z]+([A-Z][a-z]+)+$/.test(key) && key.length <= 40
  return path.map((key) => (isWord(key) ? jsonText(key) : quoteName(key))).join('.')
}
