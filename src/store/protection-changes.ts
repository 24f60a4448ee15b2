import type { ChangedField } from '../core/changes.js'
import type { Protection } from './protection.js'

/** Returns what differs in how a store is protected: the kind of encryption, and recipients, which are public keys. */
export function protectionChanges(before: Protection, after: Protection): ChangedField[] {
  const [old, now] = [recipientsOf(before), recipientsOf(after)]
  const kind = before.kind === after.kind ? [] : [{ field: 'encryption', from: before.kind, to: after.kind }]
  const gone = old.filter((one) => !now.includes(one)).map((from) => ({ field: 'recipient', from, to: null }))
  const added = now.filter((one) => !old.includes(one)).map((to) => ({ field: 'recipient', from: null, to }))
  return [...kind, ...gone, ...added]
}

const recipientsOf = (protection: Protection): readonly string[] =>
  protection.kind === 'recipients' ? protection.recipients : []
