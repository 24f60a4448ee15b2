import { asList, asText, isObject, type JsonObject } from '../json.js'
import { withoutAliases } from './aliases.js'
import { readInterfaces, type CardInterface } from './interfaces.js'
import type { CardJson } from './shapes.js'

/**
 * Returns a card with other addresses of its interfaces: the list of 1.0, the main URL of 0.3 and its additions.
 *
 * If the main URL is dropped, the first interface of 0.3 that is left takes its place. Fields whose names differ from
 * those of interfaces only in case and underscores are dropped too, since some clients read them, and so is what is in a
 * list after its first 256 entries.
 *
 * @param addressOf returns the new address, which may be the one that is written; undefined drops the interface. It is
 *   called once for each interface, in the order of `readInterfaces`.
 * @param cardUrl the URL of the card, for addresses that are relative
 */
export function withAddresses(
  card: CardJson,
  addressOf: (one: CardInterface) => string | undefined,
  cardUrl?: URL,
): CardJson {
  const { supportedInterfaces, url, preferredTransport, additionalInterfaces, ...others } = withoutAliases(
    card,
    cardFields,
  )
  const readOne = (part: CardJson): string | undefined => {
    const [one] = readInterfaces(part, cardUrl)
    return one && addressOf(one)
  }
  const { protocolVersion } = card
  const entriesOf = (field: string, given: unknown): JsonObject[] =>
    (Array.isArray(given) ? asList(given).slice(0, mostEntries) : isSet(given) ? [given] : []).flatMap(
      (entry) => {
        const named = { protocolVersion, [field]: Array.isArray(given) ? [entry] : entry }
        const address = readOne(named)
        if (address === undefined || !isObject(entry)) return []
        return [{ ...withoutAliases(entry, entryFields), url: address }]
      },
    )
  const newer = entriesOf('supportedInterfaces', supportedInterfaces)
  const hasMain = isSet(url) || isSet(preferredTransport)
  const main = hasMain ? readOne({ url, preferredTransport, protocolVersion }) : undefined
  const additions = entriesOf('additionalInterfaces', additionalInterfaces)
  const older = [
    ...additions.map((entry) => [entry['url'], entry['transport']]),
    ...newer.filter(isOlder).map((entry) => [entry['url'], entry['protocolBinding']]),
  ]
  const [instead] = older.filter(([, transport]) => asText(transport) !== '')
  return {
    ...others,
    ...(Array.isArray(supportedInterfaces) && { supportedInterfaces: newer }),
    ...(main !== undefined && { url: main, ...(isSet(preferredTransport) && { preferredTransport }) }),
    ...(main === undefined && hasMain && instead && { url: instead[0], preferredTransport: instead[1] }),
    ...(Array.isArray(additionalInterfaces) && { additionalInterfaces: additions }),
  }
}

/** A card of 1 MiB has room for 20,000, each of which takes time to read. */
const mostEntries = 256

const cardFields = ['supportedInterfaces', 'url', 'preferredTransport', 'additionalInterfaces']
const entryFields = ['url', 'transport', 'protocolBinding', 'protocolVersion', 'tenant']

function isOlder({ protocolVersion }: JsonObject): boolean {
  return asText(protocolVersion).startsWith('0.')
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
