import type { ChangedField, FieldValue } from '../../core/changes.js'
import type { HandOut } from '../../core/hand-out.js'
import { listSome, printable } from '../../core/text.js'
import type { NamedCredential } from '../../core/validity.js'
import type { Output } from '../io/output.js'
import { configClientAgain, configServerAgain } from './config-commands.js'

const mostNames = 20

/** A change on one line: `alice: note: none -> probe`. */
export function lineOf({ peer, field, id, from, to }: ChangedField): string {
  const what = [field, ...(id === undefined ? [] : [`of ${id}`])].join(' ')
  return printable(`${peer === undefined ? '' : `${peer}: `}${what}: ${textOf(from)} -> ${textOf(to)}`)
}

/** Null: the field has no value. */
export const textOf = (value: FieldValue): string => (value === null ? 'none' : String(value))

/** Credentials by their peers: `alice s-1 t-1, bob t-2`. */
export function credentialList(credentials: readonly NamedCredential[]): string {
  const byPeer = new Map<string, string[]>()
  for (const { peer = 'shared seed', id } of credentials) byPeer.set(peer, [...(byPeer.get(peer) ?? []), id])
  return listSome(
    Array.from(byPeer, ([peer, ids]) => [peer, ...ids].join(' ')),
    mostNames,
  )
}

/** What has to be handed out again, as the subject of a sentence; undefined for nothing. */
export function handOutWords({ server, card, peers }: HandOut): string | undefined {
  const parts = [
    ...(server ? [`the server file (${configServerAgain})`] : []),
    ...(card ? ['the agent card (a2a-totp config card)'] : []),
    ...(peers.length > 0
      ? [`the fragments of ${listSome(peers, mostNames)} (${configClientAgain(['NAME'])})`]
      : []),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** Remarks on what has to be handed out again after a change. */
export function sayHandOut(output: Output, handOut: HandOut): void {
  const words = handOutWords(handOut)
  output.say(words === undefined ? 'nothing has to be handed out again' : `hand out again: ${words}`)
}
