import { asList, asObject, isObject, type JsonObject } from '../json.js'
import type { TOTPProfile } from '../profile.js'
import { proofTag, type SignedPolicy } from '../proof/profile.js'
import { canonicalJson } from './canonical.js'
import type { CardJson } from './shapes.js'

/** Names what a card says of codes and proofs, in `capabilities.extensions[]`. The same in A2A 1.0 and 0.3. */
export const totpExtensionUri = 'urn:a2a-totp:v1'

/** What a card says of codes and proofs. Informs only: a client does what it was configured to do. */
export interface TOTPExtension {
  readonly header?: string
  readonly algorithm?: string
  readonly digits?: number
  readonly period?: number
  readonly window?: number
  readonly signed?: {
    readonly policy?: string
    /** The kind of proofs, `a2a-totp/proof/v1`. */
    readonly profile?: string
  }
}

/**
 * Returns a card's capabilities with the extension. It replaces an earlier one, and keeps the extensions of others.
 *
 * @param signed the agent's own policy, never that of a peer
 */
export function withTotpExtension(
  { capabilities }: CardJson,
  profile: TOTPProfile,
  signed: SignedPolicy,
): JsonObject {
  const { header, algorithm, digits, period, window } = profile
  const extension: JsonObject = {
    uri: totpExtensionUri,
    description: 'TOTP codes and signed requests (a2a-totp)',
    required: false,
    params: { header, algorithm, digits, period, window, signed: { policy: signed, profile: proofTag } },
  }
  const before = asList(asObject(capabilities)['extensions'])
  const place = before.findIndex(isOurs)
  const others = before.filter((one) => !isOurs(one))
  const at = place < 0 ? others.length : place
  const extensions = [...others.slice(0, at), kept(before[place], extension), ...others.slice(at)]
  return { ...asObject(capabilities), extensions }
}

/** Returns a card without the extension; the extensions of others are kept. */
export function withoutTotpExtension(card: CardJson): CardJson {
  const before = asObject(card['capabilities'])['extensions']
  if (!asList(before).some(isOurs)) return card
  const { extensions, ...capabilities } = asObject(card['capabilities'])
  const others = asList(extensions).filter((one) => !isOurs(one))
  return { ...card, capabilities: { ...capabilities, ...(others.length > 0 && { extensions: others }) } }
}

/**
 * Reads the extension of a card, which is untrusted. A value of another type is left out; texts are as they are, and have
 * to be made printable.
 *
 * @returns undefined if the card has none
 */
export function readTotpExtension(card: CardJson): TOTPExtension | undefined {
  const extension = asList(asObject(card['capabilities'])['extensions']).find(isOurs)
  if (extension === undefined) return undefined
  const params = asObject(asObject(extension)['params'])
  const signed = params['signed']
  return {
    ...onlyOf(params, ['header', 'algorithm'], 'string'),
    ...onlyOf(params, ['digits', 'period', 'window'], 'number'),
    ...(isObject(signed) ? { signed: onlyOf(signed, ['policy', 'profile'], 'string') } : {}),
  }
}

function isOurs(extension: unknown): boolean {
  return asObject(extension)['uri'] === totpExtensionUri
}

/** `required: false` is the default, and @a2a-js/sdk leaves it out: that is no change. */
function kept(before: unknown, after: JsonObject): JsonObject {
  const same = canonicalJson({ required: false, ...asObject(before) }) === canonicalJson(after)
  return same ? asObject(before) : after
}

function onlyOf(given: JsonObject, names: readonly string[], type: 'string' | 'number'): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => (typeof given[name] === type ? [[name, given[name]]] : [])),
  )
}
