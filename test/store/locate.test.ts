import { chmodSync, chownSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { locateStore } from '../../src/store/locate.js'
import { makeStoreFolder } from '../support/store-folder.js'

const root = process.getuid?.() === 0
const nobody = 65_534

/** `TEMPORARY/outer/inner`, each with a store. */
function makeTree(): { outer: string; inner: string; outerStore: string; innerStore: string } {
  const outer = join(makeStoreFolder(), 'outer')
  const inner = join(outer, 'inner')
  mkdirSync(inner, { recursive: true, mode: 0o755 })
  const outerStore = join(outer, 'a2a-totp.json')
  const innerStore = join(inner, 'a2a-totp.json')
  for (const path of [outerStore, innerStore]) writeFileSync(path, '{}', { mode: 0o600 })
  return { outer, inner, outerStore, innerStore }
}

const found = (path: string, named = false): unknown => ({ path, found: true, named, passedOver: [] })

describe('the store that is meant', () => {
  it('is the one that is named, before that of the environment, before any that is found', () => {
    const { inner, innerStore } = makeTree()
    const env = { A2A_TOTP_STORE: '/elsewhere/env.json' }
    expect(locateStore({ store: '../named.json', env, cwd: inner })).toEqual({
      path: join(inner, '../named.json'),
      found: false,
      named: true,
      passedOver: [],
    })
    expect(locateStore({ env, cwd: inner }).path).toBe('/elsewhere/env.json')
    expect(locateStore({ env: { A2A_TOTP_STORE: '' }, cwd: inner })).toEqual(found(innerStore))
    expect(locateStore({ store: 'a2a-totp.json', env, cwd: inner })).toEqual(found(innerStore, true))
  })

  it('may be anything when it is named: reading it will tell', () => {
    const { outer, outerStore } = makeTree()
    const link = join(outer, 'link.json')
    symlinkSync(outerStore, link)
    expect(locateStore({ store: 'link.json', env: {}, cwd: outer })).toEqual(found(link, true))
  })

  it('is the nearest one upward', () => {
    const { inner, innerStore, outerStore } = makeTree()
    const deep = join(inner, 'a', 'b')
    mkdirSync(deep, { recursive: true, mode: 0o777 })
    expect(locateStore({ env: {}, cwd: deep })).toEqual(found(innerStore))
    unlinkSync(innerStore)
    expect(locateStore({ env: {}, cwd: deep })).toEqual(found(outerStore))
    unlinkSync(outerStore)
    expect(locateStore({ env: {}, cwd: deep })).toMatchObject({
      path: join(deep, 'a2a-totp.json'),
      found: false,
    })
  })

  it('is looked for above the real folder, not above a link to it', () => {
    const { outer, inner, innerStore } = makeTree()
    const link = join(outer, 'link')
    symlinkSync(inner, link)
    expect(locateStore({ env: {}, cwd: link })).toEqual(found(innerStore))
  })
})

describe('a store that is passed over', () => {
  function expectPassedOver(
    { inner, innerStore, outerStore }: ReturnType<typeof makeTree>,
    reason: string,
  ): void {
    expect(locateStore({ env: {}, cwd: inner })).toEqual({
      path: outerStore,
      found: true,
      named: false,
      passedOver: [{ path: innerStore, reason: expect.stringContaining(reason) as string }],
    })
  }

  it('is a link', () => {
    const tree = makeTree()
    unlinkSync(tree.innerStore)
    symlinkSync(tree.outerStore, tree.innerStore)
    expectPassedOver(tree, 'it is a symbolic link')
  })

  it('is a folder', () => {
    const tree = makeTree()
    unlinkSync(tree.innerStore)
    mkdirSync(tree.innerStore)
    expectPassedOver(tree, 'it is not a regular file')
  })

  it.each(['775', '757', '1777'])('lies in a folder of mode %s', (modeBits) => {
    const mode = Number.parseInt(modeBits, 8)
    const tree = makeTree()
    chmodSync(tree.inner, mode)
    expectPassedOver(tree, `others can write to the folder ${tree.inner}`)
  })

  it.each(['775', '757'])('lies somewhere below a folder of mode %s', (modeBits) => {
    const mode = Number.parseInt(modeBits, 8)
    const tree = makeTree()
    chmodSync(tree.outer, mode)
    const { passedOver } = locateStore({ env: {}, cwd: tree.inner })
    expect(passedOver.map(({ path }) => path)).toEqual([tree.innerStore, tree.outerStore])
    expect(passedOver[0]?.reason).toBe(`others can write to the folder ${tree.outer}`)
  })

  it('does not lie below a sticky folder such as /tmp', () => {
    const { outer, inner, innerStore } = makeTree()
    chmodSync(outer, 0o1777)
    expect(locateStore({ env: {}, cwd: inner })).toEqual(found(innerStore))
  })

  it.skipIf(!root)('belongs to another user (skipped unless run by root)', () => {
    const tree = makeTree()
    chownSync(tree.innerStore, nobody, nobody)
    expectPassedOver(tree, `it belongs to another user (uid ${nobody})`)
  })

  it.skipIf(!root)('lies below a folder of another user (skipped unless run by root)', () => {
    const tree = makeTree()
    chownSync(tree.inner, nobody, nobody)
    expectPassedOver(tree, `the folder ${tree.inner} belongs to another user (uid ${nobody})`)
  })
})
