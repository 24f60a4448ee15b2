import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Alias,
  type Pair,
  type YAMLMap,
} from 'yaml'
import type { Path } from '../../core/document.js'
import { Places } from './places.js'
import type { Problems } from './problems.js'
import { syntaxWords } from './syntax-words.js'

/** A mesh of a hundred agents and a hundred peers is a third of it. */
export const mostBytes = 1024 * 1024
/** With what aliases unfold to. The longest text without any has fewer. */
const mostNodes = 1_000_000
const deepest = 50

/** Fields that are numbers. Everything else is text as it is written: an agent may be called 007, and a note be 1.0. */
const numbers: ReadonlySet<string> = new Set(['version', 'digits', 'period', 'window'])

/** The text of a mesh file as a tree of maps without a prototype, lists, texts, numbers and null. */
export interface Tree {
  readonly value: unknown
  readonly places: Places
}

/**
 * Reads YAML, and so JSON too. Parsing takes time in proportion to the text: keys are compared here, since the parser
 * compares each one with all before it.
 *
 * @param problems gets what is wrong with it; the tree is then of no use
 */
export function readTree(text: string, problems: Problems): Tree {
  const places = new Places()
  const none = { value: null, places }
  if (text.length > mostBytes) {
    problems.add(1, 'the file is longer than 1 MiB; split the mesh into several files')
    return none
  }
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    // Our own words are shown: the parser's quote the text.
    prettyErrors: false,
    uniqueKeys: false,
    schema: 'failsafe',
    resolveKnownTags: false,
  })
  const [error] = [...document.errors, ...document.warnings]
  if (error) {
    const { line, col } = lines.linePos(error.pos[0])
    problems.add(Math.max(line, 1), `column ${Math.max(col, 1)}: ${syntaxWords(error.code)}`)
    return none
  }
  const builder = new Builder(lines, places, problems)
  try {
    const value = builder.build(document.contents, [])
    places.setTop(value)
    return { value, places }
  } catch (refusal) {
    if (!(refusal instanceof TooMuch)) throw refusal
    problems.add(refusal.line, refusal.message)
    return none
  }
}

/** Ends the building of a tree. */
class TooMuch extends Error {
  constructor(
    readonly line: number,
    words: string,
  ) {
    super(words)
  }
}

class Builder {
  readonly #anchors = new Map<string, unknown>()
  /** What each alias stands for: a name may be given to another node later. */
  readonly #meant = new Map<Alias, unknown>()
  #nodes = 0
  #depth = 0

  constructor(
    private readonly lines: LineCounter,
    private readonly places: Places,
    private readonly problems: Problems,
  ) {}

  build(node: unknown, path: Path): unknown {
    this.#nodes++
    if (this.#nodes > mostNodes) throw new TooMuch(this.#lineOf(node), 'its aliases unfold to too much')
    if (this.#depth > deepest) throw new TooMuch(this.#lineOf(node), 'it is nested too deeply')
    this.#depth++
    const value = this.#valueOf(node, path)
    this.#depth--
    return value
  }

  #valueOf(node: unknown, path: Path): unknown {
    if (isAlias(node)) return this.#behind(node, path)
    if (isScalar(node) || isMap(node) || isSeq(node)) if (node.anchor) this.#anchors.set(node.anchor, node)
    if (isMap(node)) return this.#map(node, path)
    if (isSeq(node)) return this.#list(node.items, path)
    if (!isScalar(node)) return null
    const written = String(node.value)
    if (node.type !== 'PLAIN' || node.tag !== undefined) return written
    if (/^(?:~|null)?$/i.test(written)) return null
    const key = path.at(-1)
    const isNumber = typeof key === 'string' && numbers.has(key) && /^[0-9]{1,9}$/.test(written)
    return isNumber ? Number(written) : written
  }

  #behind(alias: Alias, path: Path): unknown {
    const node = this.#meant.get(alias) ?? this.#anchors.get(alias.source)
    if (node === undefined)
      this.problems.addAt(this.#lineOf(alias), path, 'is an alias without an anchor before it')
    this.#meant.set(alias, node)
    return this.build(node, path)
  }

  #list(items: readonly unknown[], path: Path): unknown[] {
    const list: unknown[] = []
    for (const [index, item] of items.entries()) {
      this.places.note(list, index, this.#lineOf(item))
      list.push(this.build(item, [...path, index]))
    }
    return list
  }

  #map(node: YAMLMap, path: Path): object {
    const map = Object.create(null) as Record<string, unknown>
    const merged: unknown[] = []
    for (const pair of node.items) {
      const key = keyOf(pair)
      const line = this.#lineOf(pair.key)
      if (key === undefined) this.problems.addAt(line, path, 'has a key that is not a word')
      else if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        const from = this.build(pair.value, [...path, key])
        merged.push(...(Array.isArray(from) ? (from as unknown[]) : [from]))
      } else if (Object.hasOwn(map, key)) {
        this.problems.addAt(
          line,
          [...path, key],
          `is there twice, first on line ${this.places.ofKey(map, key)}`,
        )
      } else {
        this.places.note(map, key, line)
        map[key] = this.build(pair.value, [...path, key])
      }
    }
    for (const one of merged) this.#merge(map, one, this.#lineOf(node), path)
    return map
  }

  /** Adds what a map does not have itself. */
  #merge(map: Record<string, unknown>, from: unknown, line: number, path: Path): void {
    if (typeof from !== 'object' || from === null || Array.isArray(from)) {
      this.problems.addAt(line, path, 'has a << that is not of a map')
      return
    }
    for (const [key, value] of Object.entries(from)) {
      if (Object.hasOwn(map, key)) continue
      this.places.note(map, key, this.places.ofKey(from, key) ?? line)
      map[key] = value
    }
  }

  #lineOf(node: unknown): number {
    const start = (node as { range?: readonly number[] | null } | null)?.range?.[0]
    return start === undefined ? 1 : Math.max(this.lines.linePos(start).line, 1)
  }
}

/** A key as it is written; undefined for one that is a map, a list or an alias. */
function keyOf({ key }: Pair): string | undefined {
  return isScalar(key) ? String(key.value) : undefined
}
