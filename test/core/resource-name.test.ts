import { describe, expect, it } from 'vitest'
import { labelOf, resourceName } from '../../src/core/resource-name.js'

describe('the name of a resource', () => {
  it.each(['alice', 'Alice', 'a_b', 'a.b', 'a-', 'x'.repeat(64), 'A--b'])(
    'takes the name made of %j',
    (name) => {
      expect(resourceName(name, name)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      expect(resourceName(name, name).length).toBeLessThan(253)
    },
  )

  it('keeps names apart that differ in what it does not take', () => {
    expect(new Set(['bob', 'Bob', 'bo_b', 'bo.b', 'bo-b'].map((name) => resourceName(name))).size).toBe(5)
  })

  it('keeps lists of names apart, whichever of the names has a hyphen', () => {
    const lists = [['billing', 'alice-ci'], ['billing-alice', 'ci'], ['billing', 'alice'], ['billing-alice']]
    expect(new Set(lists.map((names) => resourceName(...names))).size).toBe(lists.length)
    expect(resourceName('billing', 'alice')).toBe('a2a-totp-billing-alice')
  })

  it('ends in eight digits of the digest of a name that alone would not do', () => {
    expect(labelOf('alice')).toBe('alice')
    expect(labelOf('A__b-')).toMatch(/^a-b-[0-9a-f]{8}$/)
    expect(labelOf('alice-ci')).toMatch(/^alice-ci-[0-9a-f]{8}$/)
  })
})
