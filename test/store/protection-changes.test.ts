import { describe, expect, it } from 'vitest'
import type { Protection } from '../../src/store/protection.js'
import { protectionChanges } from '../../src/store/protection-changes.js'

const none: Protection = { kind: 'none' }
const passphrase: Protection = { kind: 'passphrase', passphrase: 'correct horse' }
const recipientsOf = (...recipients: string[]): Protection => ({ kind: 'recipients', recipients })

describe('what changed in how a store is protected', () => {
  it.each<[string, Protection]>([
    ['plain text', none],
    ['a passphrase', passphrase],
    ['recipients', recipientsOf('age1a', 'age1b')],
  ])('is nothing where it is the same: %s', (_, same) => {
    expect(protectionChanges(same, structuredClone(same))).toEqual([])
  })

  it('is nothing where the recipients come in another order, or the passphrase is another', () => {
    expect(protectionChanges(recipientsOf('age1a', 'age1b'), recipientsOf('age1b', 'age1a'))).toEqual([])
    expect(protectionChanges(passphrase, { ...passphrase, passphrase: 'battery staple' })).toEqual([])
  })

  it('is the kind, and each recipient that it has now', () => {
    expect(protectionChanges(none, recipientsOf('age1a', 'age1b'))).toEqual([
      { field: 'encryption', from: 'none', to: 'recipients' },
      { field: 'recipient', from: null, to: 'age1a' },
      { field: 'recipient', from: null, to: 'age1b' },
    ])
  })

  it('is the kind, and each recipient that it had', () => {
    expect(protectionChanges(recipientsOf('age1a', 'age1b'), passphrase)).toEqual([
      { field: 'encryption', from: 'recipients', to: 'passphrase' },
      { field: 'recipient', from: 'age1a', to: null },
      { field: 'recipient', from: 'age1b', to: null },
    ])
  })

  it('is only who was removed and who was added, in this order, where both have recipients', () => {
    expect(protectionChanges(recipientsOf('age1a', 'age1b'), recipientsOf('age1b', 'age1c'))).toEqual([
      { field: 'recipient', from: 'age1a', to: null },
      { field: 'recipient', from: null, to: 'age1c' },
    ])
  })

  it('does not show a passphrase', () => {
    const changes = [...protectionChanges(none, passphrase), ...protectionChanges(passphrase, none)]
    expect(changes).toEqual([
      { field: 'encryption', from: 'none', to: 'passphrase' },
      { field: 'encryption', from: 'passphrase', to: 'none' },
    ])
  })
})
