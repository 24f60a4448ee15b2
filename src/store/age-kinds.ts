import { TOTPError } from '../core/errors.js'

// What the age program knows and this tool does not, told apart by its text. Apart from age.ts, since it needs no library.

/** The work factor of scrypt that the library takes at most: the logarithm to base 2 of its iterations. */
const highestWorkFactor = 20

/** The types of stanzas that this tool can open. */
const openable = new Set(['X25519', 'mlkem768x25519'])

/** A stanza of an age header: for one recipient, or for a passphrase. */
export interface StanzaHead {
  readonly type: string
  readonly args: readonly string[]
}

/** The stanzas of a header, in order. Grease, which keeps implementations honest, is none. */
export function stanzasOf(header: string): StanzaHead[] {
  return Array.from(header.matchAll(/^-> (\S+)(.*)/gm), ([, type = '', rest = '']) => ({
    type,
    args: rest.trim().split(' '),
  })).filter(({ type }) => !type.endsWith('-grease'))
}

/**
 * Returns why a passphrase cannot open a file with these stanzas, whichever it is; undefined if nothing shows that.
 */
export function passphraseProblem(stanzas: readonly StanzaHead[]): string | undefined {
  const factor = stanzas.find(({ type }) => type === 'scrypt')?.args[1] ?? ''
  if (!/^[1-9][0-9]{0,2}$/.test(factor)) return undefined
  if (Number(factor) > highestWorkFactor) {
    return (
      `the passphrase of the store has a work factor of ${factor}; at most ${highestWorkFactor} is supported. Encrypt it ` +
      'again: `age -d STORE | age -p`, which uses 18'
    )
  }
  return stanzas.length > 1
    ? 'the store has a passphrase and recipients, which age does not allow'
    : undefined
}

/** Returns the kinds of recipients of a file that no identity of this tool opens, each once, for an error. */
export function foreignKinds(stanzas: readonly StanzaHead[]): string[] {
  const kinds = stanzas.filter(({ type }) => !openable.has(type)).map(({ type }) => kindOf(type))
  return [...new Set(kinds)]
}

/** Whether there is a stanza that an identity of this tool may open. */
export const hasOpenable = (stanzas: readonly StanzaHead[]): boolean =>
  stanzas.some(({ type }) => openable.has(type))

function kindOf(type: string): string {
  if (/^ssh-(rsa|ed25519)$/.test(type)) return `${type} keys`
  if (type === 'piv-p256') return 'the plugin yubikey (piv-p256)'
  if (/^(mlkem768)?p256tag$/.test(type)) return `hardware keys (${type})`
  return /^[A-Za-z0-9./_-]{1,40}$/.test(type) ? `the unknown kind ${type}` : 'an unknown kind'
}

/**
 * Returns what a text is that was given as an identity, if it is of a kind that this tool does not take, and what would
 * be right; undefined for anything else. Contains nothing of the text but the name of a plugin.
 */
export function identityProblem(text: string): string | undefined {
  const plugin = pluginIn(/^AGE-PLUGIN-([A-Z0-9+._-]+)-1[0-9A-Z]*$/im, text)
  const native = 'use an identity that age-keygen made, and encrypt the store for its recipient as well'
  if (plugin !== undefined)
    return `an identity of the age plugin ${plugin}, which cannot be used here; ${native}`
  if (/^-----BEGIN (OPENSSH|RSA|EC|DSA|ENCRYPTED)? ?PRIVATE KEY-----/m.test(text))
    return `an SSH private key, which cannot be used here; ${native}`
  if (/^(-----BEGIN AGE ENCRYPTED FILE-----|age-encryption\.org\/)/.test(text))
    return 'encrypted itself; decrypt it into the variable: A2A_TOTP_IDENTITY="$(age -d FILE)"'
  if (/^(age1|ssh-(rsa|ed25519) )/m.test(text))
    return 'a recipient, the public part; use the identity, AGE-SECRET-KEY-1…'
  return undefined
}

/** The same for a recipient. */
export function recipientProblem(text: string): string | undefined {
  const native = 'use a recipient that age-keygen printed (age1…)'
  if (/^(ssh-|ecdsa-|sk-)/.test(text)) return `an SSH public key, which cannot be used here; ${native}`
  if (/^github:/i.test(text)) return `the keys of a GitHub user, which cannot be used here; ${native}`
  if (/^AGE-(SECRET-KEY|PLUGIN)-/i.test(text)) return `an identity, which is secret; ${native}`
  const plugin = pluginIn(/^age1([a-z0-9+._-]+)1[02-9ac-hj-np-z]*$/, text)
  return plugin === undefined || /^(pq|tag|tagpq)$/.test(plugin)
    ? undefined
    : `a recipient of the age plugin ${plugin}, which cannot be used here; ${native}`
}

/** The name of a plugin, in lower case; not that of what only looks like one. */
function pluginIn(form: RegExp, text: string): string | undefined {
  const name = form.exec(text)?.[1]?.toLowerCase()
  return name !== undefined && name.length <= 32 ? name : undefined
}

/** Not a whole age file: cut off, or edited. */
export function damaged(): TOTPError {
  return new TOTPError('ERR_STORE_INVALID', 'the store is encrypted, but its file is damaged or incomplete')
}
