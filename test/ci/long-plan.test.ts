import { describe, expect, it } from 'vitest'
import { notesOn, partsOf, planOf, tableOf, type Note } from '../../scripts/long/plan.mjs'

const parts = partsOf({
  files: ['undo.test.ts', 'server', 'server/fuzz.test.ts', 'helper.ts', 'binary.test.ts'],
  mutation: ['core-proof'],
})
const names = (some: readonly { name: string }[]): string[] => some.map(({ name }) => name)
const all = names(parts).filter((name) => name !== 'stacks')

const note = (passed: boolean, seconds = 1, code = 'this'): Note => ({
  passed,
  code,
  seconds,
  at: '2026-11-30T08:00:00Z',
  lastLine: '3 passed, 0 failed, 0 skipped',
})

describe('the parts of a long run', () => {
  it('are the files in order, then each Node, then mutation, then the stacks', () => {
    expect(names(parts)).toEqual([
      ...['binary', 'server/fuzz', 'undo'],
      ...['node-20.19', 'node-22', 'node-24', 'node-26'],
      ...['mutation-core-proof', 'stacks'],
    ])
    expect(parts[1]?.args.at(-1)).toBe('test/long/server/fuzz.test.ts')
  })

  it('all run, but for those that run by name alone', () => {
    expect(names(planOf(parts, { names: [], resume: false, notes: {} }).run)).toEqual(all)
  })

  it('run in their own order where they are named', () => {
    const { asked, run } = planOf(parts, { names: ['stacks', 'undo'], resume: false, notes: {} })
    expect(names(run)).toEqual(['undo', 'stacks'])
    expect(asked).toEqual(run)
  })

  it('are refused where one is unknown, before any runs', () => {
    const asked = { names: ['undo', 'undoo'], resume: false, notes: {} }
    expect(() => planOf(parts, asked)).toThrow('no part is called "undoo"; --list prints the names')
  })
})

describe('a run that is resumed', () => {
  const notes = { binary: note(true), undo: note(false), 'node-22': note(true, 1, 'other') }

  it('leaves out what passed on this very code', () => {
    const { asked, run } = planOf(parts, { names: [], resume: true, notes: notesOn(notes, 'this') })
    expect(names(run)).toEqual(all.filter((name) => name !== 'binary'))
    expect(names(asked)).toEqual(all)
  })

  it('has nothing to leave out of a run that is not', () => {
    const { run } = planOf(parts, { names: ['binary'], resume: false, notes: notesOn(notes, 'this') })
    expect(names(run)).toEqual(['binary'])
  })
})

it('ends with a line for each part, and the total', () => {
  const some = parts.filter(({ name }) => ['binary', 'server/fuzz', 'undo'].includes(name))
  const notes = { binary: note(true, 59.6), 'server/fuzz': note(false, 3_723) }
  expect(tableOf(some, notes).split('\n')).toEqual([
    'binary       passed    0:01:00  3 passed, 0 failed, 0 skipped',
    'server/fuzz  FAILED    1:02:03  3 passed, 0 failed, 0 skipped',
    'undo         not run',
    '1 parts passed, 1 failed, 1 not run, in 1:03:03',
  ])
})
