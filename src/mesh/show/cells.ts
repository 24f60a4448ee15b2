import type { EdgeState, EdgeView } from './edge-view.js'
import type { MeshView } from './view.js'

// The marks of a matrix: two letters for the policies, and a sign for what deserves attention.

const replayMarks = { reuse: 'r', once: 'o' } as const
const signedMarks = { off: '-', observe: 'o', accept: 'a', require: 's' } as const
const stateMarks: Readonly<Record<EdgeState, string>> = {
  live: '',
  unknown: '',
  missing: '+',
  pending: '~',
  due: '*',
  expired: '!',
}

/** An edge as the cell of a matrix: `os+`. */
export function cellOf({ replay, signed, state }: EdgeView): string {
  const policies = `${replay ? replayMarks[replay] : '.'}${signed ? signedMarks[signed] : '.'}`
  return `${policies}${stateMarks[state]}`
}

const meanings: readonly (readonly [mark: string, test: (edge: EdgeView) => boolean, words: string])[] = [
  ['r_', ({ replay }) => replay === 'reuse', 'codes reusable'],
  ['o_', ({ replay }) => replay === 'once', 'each code once'],
  ['._', ({ replay }) => replay === null, 'the store decides'],
  ['_-', ({ signed }) => signed === 'off', 'proofs off'],
  ['_o', ({ signed }) => signed === 'observe', 'proofs observed'],
  ['_a', ({ signed }) => signed === 'accept', 'proofs accepted'],
  ['_s', ({ signed }) => signed === 'require', 'every request signed'],
  ['_.', ({ signed }) => signed === null, 'the store decides'],
  ['+', ({ state }) => state === 'missing', 'not created yet'],
  ['~', ({ state }) => state === 'pending', 'rotation pending'],
  ['*', ({ state }) => state === 'due', 'rotation due'],
  ['!', ({ state }) => state === 'expired', 'expired'],
]

/** What the marks mean that are there: as much of the legend as is needed. */
export function legendOf({
  edges,
  undeclared,
}: MeshView): { readonly mark: string; readonly words: string }[] {
  return [
    ...meanings.filter(([, test]) => edges.some(test)).map(([mark, , words]) => ({ mark, words })),
    ...(undeclared.length > 0 ? [{ mark: '?', words: 'let in by the store, not in the file' }] : []),
    { mark: '-', words: 'no edge' },
  ]
}
