import { combine } from './fields.js'

/** A reader of dictionaries of Structured Fields (RFC 8941 §3.2, §4.2): strict, in one pass, and without recursion. */

/** A bare item that is no inner list. `text` is how it was written. */
export interface BareItem {
  readonly kind: 'integer' | 'decimal' | 'string' | 'token' | 'bytes' | 'boolean'
  /** The value of an integer; of a string without quotes and escapes. */
  readonly value: number | string | boolean
  readonly text: string
}

/** A parameter, in the order in which they were written; a key may occur more than once. */
export interface Parameter {
  readonly key: string
  readonly value: BareItem
}

export interface Item {
  readonly value: BareItem
  readonly parameters: readonly Parameter[]
}

export interface Member {
  readonly label: string
  /** An inner list, or a single item. */
  readonly value: readonly Item[] | BareItem
  readonly parameters: readonly Parameter[]
  /** What follows `label=`, as it was written; empty for a member without a value. */
  readonly text: string
}

const key = /[a-z*][a-z0-9_\-.*]*/y
const number = /-?(?:\d{1,12}\.\d{1,3}(?!\d)|\d{1,15}(?![\d.]))/y
const plainText = /[\x20\x21\x23-\x5b\x5d-\x7e]*/y
const escape = /\\["\\]/y
const token = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const bytes = /:[A-Za-z0-9+/]*=*:/y
const boolean = /\?[01]/y
const spaces = / */y
const optionalWhitespace = /[ \t]*/y

const trueItem: BareItem = { kind: 'boolean', value: true, text: '' }

/**
 * Thrown inside, and never seen outside: the text is no dictionary. Made once, because the stack of an error costs more
 * than reading does.
 */
const noDictionary = new Error('no dictionary')

/**
 * Reads the lines of a field as one dictionary. A label that occurs twice makes it none, although RFC 8941 would take the
 * last: readers that take different ones would see different signatures.
 *
 * @returns undefined if it is none
 */
export function parseDictionary(lines: readonly string[]): Member[] | undefined {
  const members = parseMembers(lines)
  const labels = new Set(members?.map(({ label }) => label))
  return labels.size === members?.length ? members : undefined
}

/** The same with every member of a label, in order: what two of one label mean is for the caller to decide. */
export function parseMembers(lines: readonly string[]): Member[] | undefined {
  try {
    return new Scanner(combine(lines)).dictionary()
  } catch (error) {
    if (error === noDictionary) return undefined
    throw error
  }
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  dictionary(): Member[] {
    const members: Member[] = []
    this.#take(spaces)
    while (this.#at < this.#text.length) {
      members.push(this.#member())
      this.#take(optionalWhitespace)
      if (this.#at === this.#text.length) break
      this.#expect(',')
      this.#take(optionalWhitespace)
      // A comma at the end.
      if (this.#at === this.#text.length) throw noDictionary
    }
    return members
  }

  #member(): Member {
    const label = this.#take(key)
    const hasValue = this.#peek() === '='
    if (hasValue) this.#at++
    const begin = this.#at
    const value = !hasValue ? trueItem : this.#peek() === '(' ? this.#innerList() : this.#bareItem()
    const parameters = this.#parameters()
    return { label, value, parameters, text: hasValue ? this.#text.slice(begin, this.#at) : '' }
  }

  #innerList(): Item[] {
    const items: Item[] = []
    this.#expect('(')
    for (;;) {
      this.#take(spaces)
      if (this.#peek() === ')') break
      items.push({ value: this.#bareItem(), parameters: this.#parameters() })
      if (this.#peek() !== ' ' && this.#peek() !== ')') throw noDictionary
    }
    this.#expect(')')
    return items
  }

  #parameters(): Parameter[] {
    const parameters: Parameter[] = []
    while (this.#peek() === ';') {
      this.#at++
      this.#take(spaces)
      const name = this.#take(key)
      const hasValue = this.#peek() === '='
      if (hasValue) this.#at++
      parameters.push({ key: name, value: hasValue ? this.#bareItem() : trueItem })
    }
    return parameters
  }

  #bareItem(): BareItem {
    const first = this.#peek()
    if (first === '"') {
      const text = this.#string()
      return { kind: 'string', value: text.slice(1, -1).replace(/\\(.)/g, '$1'), text }
    }
    if (first === ':') {
      const text = this.#take(bytes)
      return { kind: 'bytes', value: base64In(text), text }
    }
    if (first === '?') {
      const text = this.#take(boolean)
      return { kind: 'boolean', value: text === '?1', text }
    }
    if (first === '-' || (first >= '0' && first <= '9')) {
      const text = this.#take(number)
      return { kind: text.includes('.') ? 'decimal' : 'integer', value: Number(text), text }
    }
    const text = this.#take(token)
    return { kind: 'token', value: text, text }
  }

  /** In pieces: one expression for all of it would keep a way back for each escape, and run out of room. */
  #string(): string {
    const begin = this.#at++
    this.#take(plainText)
    while (this.#peek() !== '"') {
      this.#take(escape)
      this.#take(plainText)
    }
    this.#at++
    return this.#text.slice(begin, this.#at)
  }

  /** The next character, or an empty text at the end. */
  #peek(): string {
    return this.#text.charAt(this.#at)
  }

  #expect(character: string): void {
    if (this.#peek() !== character) throw noDictionary
    this.#at++
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) throw noDictionary
    this.#at += found.length
    return found
  }
}

/**
 * The base64 of a byte sequence. Padding may be missing and spare bits may be set (RFC 8941 §4.2.7); what no reader could
 * decode is none.
 */
function base64In(text: string): string {
  const base64 = text.slice(1, -1)
  const padding = base64.indexOf('=')
  const length = padding < 0 ? base64.length : padding
  const given = base64.length - length
  // The expression takes the padding to the end, so that nothing can follow it.
  if (length % 4 === 1 || given > (4 - (length % 4)) % 4) throw noDictionary
  return base64
}

/** The bytes of a byte sequence in canonical, padded base64, if it has that many; else undefined. */
export function bytesOf({ kind, value }: BareItem, length: number): Buffer | undefined {
  if (kind !== 'bytes' || typeof value !== 'string') return undefined
  const decoded = Buffer.from(value, 'base64')
  return decoded.length === length && decoded.toString('base64') === value ? decoded : undefined
}

/** Writes a string as RFC 8941 §4.1.6 does. */
export function serialiseString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
