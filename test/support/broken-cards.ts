import { checks, type CheckId } from '../../src/probe/index.js'
import type { Quirks } from './broken-agent.js'

export interface Defect {
  /** What the agent does wrong. */
  readonly name: string
  readonly quirks: Quirks
  /** The checks that name it, and nothing else does. */
  readonly named: Readonly<Record<string, 'fail' | 'warn'>>
  /** Where to probe it, if not at its base. */
  readonly path?: string
}

export const warns = (...ids: string[]): Defect['named'] => Object.fromEntries(ids.map((id) => [id, 'warn']))

/** What a defect is named by in each cell that has it. */
export const ofCells = (named: Defect['named']): Defect['named'] =>
  Object.fromEntries(Object.entries(named).filter(([id]) => checks[id as CheckId].scope === 'cell'))

type Edit = (card: Record<string, unknown>) => Record<string, unknown>
const edited = (edit: Edit): Quirks => ({ card: (card) => edit(structuredClone(card)) })
const requirementFields = ['securityRequirements', 'security']

/** Agents that guard well and whose card is wrong in one way. */
export const cardDefects: readonly Defect[] = [
  {
    name: 'serves no card',
    quirks: { card: () => 'no card here' },
    path: '/rpc',
    named: { ...warns('card.fetch'), coverage: 'fail' },
  },
  {
    name: 'names a host of somebody else',
    quirks: {
      card: (card: Record<string, unknown>): unknown => {
        const text = JSON.stringify(card).replace(/http:[^"]*\/rest/g, 'https://elsewhere.invalid/rest')
        return JSON.parse(text) as unknown
      },
    },
    named: { coverage: 'fail' },
  },
  {
    name: 'declares no bearer scheme',
    quirks: edited((card) => withoutScheme(card, 'bearer')),
    named: warns('card.bearer', 'card.and'),
  },
  {
    name: 'declares no header scheme',
    quirks: edited((card) => withoutScheme(card, 'totp')),
    named: warns('card.totp', 'card.and'),
  },
  {
    name: 'declares bearer OR the header',
    quirks: edited((card) => withRequirements(card, ['bearer'], ['totp'])),
    named: warns('card.and'),
  },
  {
    name: 'declares an empty requirement',
    quirks: edited((card) => withRequirements(card, ['bearer', 'totp'], [])),
    named: warns('card.and'),
  },
  {
    name: 'declares no requirement',
    quirks: edited((card) => withRequirements(card)),
    named: warns('card.and'),
  },
  {
    name: 'lets a skill do with bearer alone',
    quirks: edited((card) => ({ ...card, skills: [withRequirements({ id: 'echo' }, ['bearer'])] })),
    named: warns('card.and'),
  },
]

function withoutScheme(card: Record<string, unknown>, name: string): Record<string, unknown> {
  const schemes = Object.entries(card['securitySchemes'] as Record<string, unknown>)
  return { ...card, securitySchemes: Object.fromEntries(schemes.filter(([key]) => key !== name)) }
}

/** Replaces the requirements by those alternatives, in the fields that the card has or in both. */
function withRequirements(
  owner: Record<string, unknown>,
  ...alternatives: string[][]
): Record<string, unknown> {
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
  return { ...owner, ...(Object.fromEntries(written) as Record<string, unknown>) }
}
