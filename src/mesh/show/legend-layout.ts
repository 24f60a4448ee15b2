import { edgeStates } from './edge-view.js'
import { labelAt, type Label, type LegendEntry, type Line } from './picture.js'
import { kindWords, lineKinds, stateWords } from './words.js'

/** The length of an example. */
export const exampleLength = 44
const rowHeight = 24

interface Legend {
  readonly entries: readonly LegendEntry[]
  readonly labels: readonly Label[]
  readonly width: number
  readonly height: number
}

/** Explains the lines that are there, in as many rows as are needed. */
export function legendFor(
  lines: readonly Line[],
  left: number,
  top: number,
  room: number,
  remark = 'Other colours only help the eye to follow a line.',
): Legend {
  const found = [
    ...lineKinds
      .filter((kind) => lines.some((line) => line.kind === kind && line.state !== 'undeclared'))
      .map((kind) => ({ kind, state: 'live' as const, words: kindWords[kind] })),
    ...edgeStates
      .filter((state) => stateWords[state] !== '' && lines.some((line) => line.state === state))
      .map((state) => ({ kind: 'once' as const, state, words: stateWords[state] })),
    ...(lines.some(({ state }) => state === 'undeclared')
      ? [
          {
            kind: 'unsaid' as const,
            state: 'undeclared' as const,
            words: 'let in by the store, not in the file',
          },
        ]
      : []),
  ]
  const entries: LegendEntry[] = []
  const labels: Label[] = []
  let [x, y, width] = [left, top, 0]
  for (const { kind, state, words } of found) {
    const label = labelAt(words, [x + exampleLength + 10, y + 4], 'small')
    const end = label.x + label.width
    if (x > left && end > left + room) {
      ;[x, y] = [left, y + rowHeight]
      labels.push(labelAt(words, [x + exampleLength + 10, y + 4], 'small'))
    } else labels.push(label)
    entries.push({ kind, state, x, y })
    x += exampleLength + 10 + label.width + 24
    width = Math.max(width, x - 24 - left)
  }
  if (found.length === 0) return { entries, labels, width: 0, height: 0 }
  const note = labelAt(remark, [left, y + rowHeight + 4], 'small')
  return {
    entries,
    labels: [...labels, note],
    width: Math.max(width, note.width),
    height: y + rowHeight + 10 - top,
  }
}
