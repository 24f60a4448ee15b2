import { printable } from '../../core/text.js'

/**
 * A copy of an event in which every text is safe for a log, at any depth: names of peers come from a delegate's tokens,
 * sources from header fields, paths from whoever made the folders. One place for all events, so that none is forgotten.
 */
export function printableEvent<E extends object>(event: E): E {
  // Nearly every event: a copy would cost as much as the rest of a decision.
  return isPlain(event) ? event : (printableFields(event) as E)
}

function isPlain(event: object): boolean {
  for (const value of Object.values(event)) {
    if (typeof value === 'string' ? !isPlainText(value) : isNested(value)) return false
  }
  return true
}

function isPlainText(text: string): boolean {
  return plain.test(text) || address.test(text)
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date)
}

function printableFields(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, printableValue(value)]))
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return isPlainText(value) ? value : printable(value)
  if (Array.isArray(value)) return (value as readonly unknown[]).map(printableValue)
  return isNested(value) ? printableFields(value as object) : value
}

/** Most texts, without the work. */
const plain = /^[\w ./-]*$/

/** An IPv6 address stays as it is, with its two colons. */
const address = /^(?!.*::.*::)[\da-f.:]{2,45}$/i
