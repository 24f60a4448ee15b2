import type { Quirks } from '../broken-agent.js'

export type Card = Readonly<Record<string, unknown>>

/** Quirks of an agent that edits both of its cards. */
export const edited = (edit: (card: Card, origin: string) => Card): Quirks => ({
  card: (card, origin) => edit(structuredClone(card), origin),
})

/** Names one more interface in both cards; `ORIGIN` and `PORT` in its URL are the agent's. */
export function withInterface(url: string, binding: string, protocolVersion: string): Quirks {
  return edited((card, origin) => {
    const address = url.replace('ORIGIN', origin).replace('PORT', new URL(origin).port)
    // A card of 0.3 cannot name interfaces of another version.
    return 'supportedInterfaces' in card
      ? {
          ...card,
          supportedInterfaces: [
            ...(card['supportedInterfaces'] as unknown[]),
            { url: address, protocolBinding: binding, protocolVersion },
          ],
        }
      : card
  })
}

export function withoutScheme(card: Card, name: string): Card {
  const schemes = Object.entries(card['securitySchemes'] as Card)
  return { ...card, securitySchemes: Object.fromEntries(schemes.filter(([key]) => key !== name)) }
}

/** Declares a scheme anew, in the form of each version. */
export function withScheme(card: Card, name: string, of10: Card, of03: Card): Card {
  const scheme = 'supportedInterfaces' in card ? of10 : of03
  return { ...card, securitySchemes: { ...(card['securitySchemes'] as Card), [name]: scheme } }
}

const requirementFields = ['securityRequirements', 'security']

/** Replaces the requirements by those alternatives, in the fields that the card has or in both. */
export function withRequirements(owner: Card, ...alternatives: string[][]): Card {
  const fields = requirementFields.filter((field) => field in owner)
  const written = (fields.length > 0 ? fields : requirementFields).map((field) => [
    field,
    alternatives.map((names) => {
      const schemes = Object.fromEntries(
        names.map((name) => [name, field === 'security' ? [] : { list: [] }]),
      )
      return field === 'security' ? schemes : { schemes }
    }),
  ])
  return { ...owner, ...(Object.fromEntries(written) as Card) }
}
