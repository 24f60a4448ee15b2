import type { EdgeResult } from '../prove/mesh-report.js'

/** What a cell of the matrix shows. */
export type Kind =
  'open' | 'warned' | 'unsafe' | 'refused' | 'intruder' | 'shut' | 'removed' | 'expired' | 'unknown'

export interface KindTexts {
  /** One cell wide in any terminal. */
  readonly symbol: string
  readonly ascii: string
  readonly emoji: string
  readonly words: string
}

/** In the order of the legend. */
export const kinds: Readonly<Record<Kind, KindTexts>> = {
  open: { symbol: '✔', ascii: '+', emoji: '✅', words: 'let in, as declared' },
  shut: { symbol: '·', ascii: '.', emoji: '▫️', words: 'not declared, refused' },
  refused: { symbol: '✖', ascii: 'X', emoji: '❌', words: 'declared, but refused' },
  intruder: { symbol: '●', ascii: '@', emoji: '🚨', words: 'let in, but it should be refused' },
  unsafe: { symbol: '◆', ascii: '#', emoji: '🔶', words: 'a check of it failed' },
  warned: { symbol: '▲', ascii: '!', emoji: '⚠️', words: 'let in, with a warning' },
  removed: { symbol: '○', ascii: 'o', emoji: '🚫', words: 'removed, and refused' },
  expired: { symbol: '◌', ascii: 'e', emoji: '⌛', words: 'declared, but expired' },
  unknown: { symbol: '?', ascii: '?', emoji: '❔', words: 'not shown' },
}

/** What became of an edge, as the matrix shows it. */
export function kindOf({ declared, admitted, status, removed, expired }: EdgeResult): Kind {
  const allowed = declared && expired !== true
  if (!allowed && admitted === true) return 'intruder'
  if (declared && expired === true && status !== 'fail') return 'expired'
  if (allowed && admitted === false) return 'refused'
  if (admitted === null) return 'unknown'
  if (status === 'fail') return 'unsafe'
  if (status === 'warn') return 'warned'
  if (admitted) return 'open'
  return removed === true ? 'removed' : 'shut'
}

/** What was seen of an edge, by itself. */
export const admittedWords = ({ admitted }: Pick<EdgeResult, 'admitted'>): string =>
  admitted === null ? 'not shown' : admitted ? 'let in' : 'refused'

/** The kinds that are in a matrix, in the order of the legend. */
export function kindsIn(matrix: readonly EdgeResult[]): Kind[] {
  const there = new Set(matrix.map(kindOf))
  return (Object.keys(kinds) as Kind[]).filter((kind) => there.has(kind))
}

/** How many edges of a kind there are, in words: `3 refused`. */
export function countKinds(matrix: readonly EdgeResult[]): string {
  const all = matrix.map(kindOf)
  return kindsIn(matrix)
    .map((kind) => `${all.filter((one) => one === kind).length} ${kinds[kind].words}`)
    .join('; ')
}
