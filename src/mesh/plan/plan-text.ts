import type { FieldValue } from '../../core/changes.js'
import { count, printable } from '../../core/text.js'
import { mergeRows } from './merged-rows.js'
import type { ChangeAction, MeshChange, Plan } from './plan.js'

/** How a plan is drawn. */
export interface PlanLook {
  /** Whether there are characters beyond ASCII. */
  readonly unicode: boolean
  /** Colours a line by what it does. */
  readonly paint?: (action: ChangeAction, text: string) => string
}

const signs: Readonly<Record<ChangeAction, readonly [ascii: string, unicode: string]>> = {
  create: ['+', '+'],
  change: ['~', '~'],
  rotate: ['r', '↻'],
  remove: ['-', '-'],
  deliver: ['>', '→'],
}

/** Lines of their own: a heading, and what belongs to it. */
type Section = readonly [heading: string, lines: readonly (readonly [change: MeshChange, words: string])[]]

/**
 * Draws a plan for a person: its changes by agents, then the client files by peers, and how many there are of each kind.
 * Many peers that get the same change are one line.
 *
 * @returns an empty text for a plan without changes
 */
export function planText({ changes }: Plan, look: PlanLook): string {
  if (changes.length === 0) return ''
  const lines = sectionsOf(changes).flatMap(([heading, rows]) => [
    printable(heading),
    ...rows.map(([change, words]) => `  ${drawn(change, words, look)}`),
  ])
  return [...lines, '', countsOf(changes)].join('\n')
}

function sectionsOf(changes: readonly MeshChange[]): Section[] {
  const clients = changes.filter(isClientFile)
  const others = changes.filter((change) => !isClientFile(change))
  const sections = unique(others.map(({ agent }) => agent)).map((agent): Section => {
    const rows = mergeRows(others.filter((change) => change.agent === agent))
    return [agent, rows.map((change) => [change, wordsOf(change)])]
  })
  const files = mergeRows(clients).map((row) => [row, `${row.peer ?? ''}, for ${row.agent}`] as const)
  return files.length === 0 ? sections : [...sections, ['client files', files]]
}

function drawn(change: MeshChange, words: string, { unicode, paint }: PlanLook): string {
  const { action, needs } = change
  const text = printable(
    `${signs[action][unicode ? 1 : 0]} ${words}${needs === undefined ? '' : ` (needs --${needs})`}`,
  )
  return paint?.(action, text) ?? text
}

/** What becomes of an agent, of an edge of it, or of a canary, beside its name. */
function wordsOf({ peer, field = '', action, from, to, canary }: MeshChange): string {
  const whose = peer === undefined ? '' : `${peer}: `
  if (action === 'deliver') return 'server file'
  if (action === 'change') return `${whose}${field}: ${valueOf(from)} -> ${valueOf(to)}`
  if (action === 'rotate') return `${whose}${reasonOf(field, from, to)}`
  const name = peer ?? 'store'
  return canary ? `${name} (canary)` : name
}

const reasons: Readonly<Record<string, string>> = {
  age: 'its credentials are old',
  expires: 'its credentials have expired',
  pending: 'its rotation is not finished',
}

const reasonOf = (field: string, from?: FieldValue, to?: FieldValue): string =>
  reasons[field] ?? `${field}: ${valueOf(from)} -> ${valueOf(to)}`

const valueOf = (value: FieldValue = null): string => (value === null ? 'none' : String(value))

/** Of client files and rotations each counts once, however many rows it has. */
function countsOf(changes: readonly MeshChange[]): string {
  const of = (action: ChangeAction): number => {
    const rows = changes.filter((change) => change.action === action)
    if (action === 'deliver') return unique(rows.map(({ agent, peer }) => peer ?? `agent ${agent}`)).length
    return action === 'rotate'
      ? unique(rows.map(({ agent, peer = '' }) => `${peer} ${agent}`)).length
      : rows.length
  }
  const parts = (['create', 'change', 'rotate', 'remove', 'deliver'] as const).flatMap((action) => {
    const number = of(action)
    return number === 0 ? [] : [`${number} to ${action}`]
  })
  return parts.join(', ')
}

/** Returns what has to be passed to `mesh apply` for all of a plan to be done, and why. */
export function wordsNeeded({ changes }: Plan): string[] {
  const number = (word: string): number => changes.filter(({ needs }) => needs === word).length
  const [prune, yes] = [number('prune'), number('yes')]
  return [
    ...(prune > 0
      ? [`${count(prune, 'change')} with --prune only: the file does not name what is removed`]
      : []),
    ...(yes > 0
      ? [
          `${count(yes, 'change')} after asking or with --yes: peers are refused until they have their new client files`,
        ]
      : []),
  ]
}

const isClientFile = ({ action, peer }: MeshChange): boolean => action === 'deliver' && peer !== undefined

const unique = (names: readonly string[]): string[] => [...new Set(names)]
