import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findUpward } from '../../src/store/find-upward.js'
import { asOnWindows } from '../support/pretended-process.js'
import { makeStoreFolder } from '../support/store-folder.js'

const names = ['first.yaml', 'second.yaml']

function makeTree(): { outer: string; inner: string } {
  const outer = makeStoreFolder()
  const inner = join(outer, 'inner')
  mkdirSync(inner, { mode: 0o755 })
  return { outer, inner }
}

function makeFile(folder: string, name: string): string {
  const path = join(folder, name)
  writeFileSync(path, '', { mode: 0o600 })
  return path
}

describe('the nearest file with one of some names', () => {
  it('has the first of these names that its folder has', () => {
    const { outer, inner } = makeTree()
    makeFile(outer, 'first.yaml')
    const second = makeFile(inner, 'second.yaml')
    expect(findUpward(inner, names)).toEqual({ start: inner, path: second, passedOver: [] })
    const first = makeFile(inner, 'first.yaml')
    expect(findUpward(inner, names)).toEqual({ start: inner, path: first, passedOver: [] })
  })

  it('is looked for above the folder, unless only the folder is meant', () => {
    const { outer, inner } = makeTree()
    const above = makeFile(outer, 'first.yaml')
    expect(findUpward(inner, names)).toEqual({ start: inner, path: above, passedOver: [] })
    expect(findUpward(inner, names, true)).toEqual({ start: inner, path: undefined, passedOver: [] })
    const here = makeFile(inner, 'second.yaml')
    expect(findUpward(inner, names, true)).toEqual({ start: inner, path: here, passedOver: [] })
  })

  it('is not one that is not trusted: of such, all that are nearer are told, nearest first', () => {
    const { outer, inner } = makeTree()
    const above = makeFile(outer, 'second.yaml')
    mkdirSync(join(inner, 'first.yaml'))
    symlinkSync(above, join(inner, 'second.yaml'))
    expect(findUpward(inner, names)).toEqual({
      start: inner,
      path: above,
      passedOver: [
        { path: join(inner, 'first.yaml'), reason: 'it is not a regular file' },
        { path: join(inner, 'second.yaml'), reason: 'it is a symbolic link' },
      ],
    })
  })

  it('is trusted on Windows, whoever owns it: owners say nothing there', () => {
    const { inner } = makeTree()
    const path = makeFile(inner, 'first.yaml')
    asOnWindows()
    expect(findUpward(inner, names)).toEqual({ start: inner, path, passedOver: [] })
  })
})
