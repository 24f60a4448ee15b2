import { totpSecurityOf, withTotpSecurity, type TOTPSecurityOptions } from '../../../core/card/security.js'
import type { CardJson, CardProtocol } from '../../../core/card/shapes.js'
import { decodeUtf8 } from '../../../core/encoding.js'
import { TOTPError } from '../../../core/errors.js'
import { isObject, requireJson } from '../../../core/json.js'
import { defaultProfile } from '../../../core/profile.js'
import type { Roster } from '../../../core/roster.js'
import { parseShallowJson } from '../../../core/shallow-json.js'
import type { CliContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'

export interface CardContentOptions {
  readonly protocol: CardProtocol | undefined
  /** The path of the card that the second factor is added to. */
  readonly merge: string | undefined
  readonly replace: true | undefined
}

/**
 * Returns the security part of an agent card, or with `merge` the whole card, as the store says; with defaults only where
 * no store is named and none is found.
 *
 * @throws {TOTPError} `ERR_STORE_*` for a store that cannot be used; `ERR_CARD_INVALID` for a card that cannot
 */
export async function makeCard(
  context: CliContext,
  { protocol, merge, replace }: CardContentOptions,
): Promise<object> {
  const said = context.store.isNone() ? {} : extensionOf(await context.store.read())
  const header = said.profile?.header ?? defaultProfile.header
  if (merge === undefined) return totpSecurityOf(protocol ?? '1.0', header, said)
  return withTotpSecurity(await readCard(context, merge), {
    ...said,
    header,
    replace: replace ?? false,
    protocol,
    onWarning: (message) => context.output.warn(message),
  })
}

/** What the card says of codes and proofs: the agent's own policy, never that of a peer. */
function extensionOf({ profile, signed = 'off' }: Roster): Pick<TOTPSecurityOptions, 'profile' | 'signed'> {
  return { profile, signed }
}

async function readCard(context: CliContext, path: string): Promise<CardJson> {
  const what = 'the agent card'
  const refuse = (message: string): TOTPError => new TOTPError('ERR_CARD_INVALID', message)
  const text = decodeUtf8(await readGiven(context, what, path), what, refuse)
  const card = requireJson(text, what, refuse)
  if (parseShallowJson(text) === undefined)
    throw refuse('the agent card is nested too deep; it cannot be one')
  if (isObject(card)) return card
  throw refuse('the agent card is not a JSON object; pass it as the agent serves it')
}
