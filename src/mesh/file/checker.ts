import * as v from 'valibot'
import { describeIssue, type Path } from '../../core/document.js'
import { isObject } from '../../core/json.js'
import { didYouMean } from '../../core/nearest.js'
import type { Places } from './places.js'
import type { Problems } from './problems.js'

/** A schema of a map, with its keys. */
export interface MapSchema<T> extends v.GenericSchema<unknown, T> {
  readonly entries: Readonly<Record<string, unknown>>
}

/** Checks parts of a tree, and notes each fault with its line. */
export class Checker {
  constructor(
    private readonly places: Places,
    private readonly problems: Problems,
  ) {}

  /** Returns what a schema makes of a map; undefined where it is not valid. An unknown key alone does not make it so. */
  map<T>(schema: MapSchema<T>, value: unknown, at: Path): T | undefined {
    if (!isObject(value)) {
      this.say(at, 'must be a map')
      return undefined
    }
    this.keys(value, Object.keys(schema.entries), at)
    return this.value(schema, value, at)
  }

  /** Returns what a schema makes of a value; undefined where it is not valid. */
  value<T>(schema: v.GenericSchema<unknown, T>, value: unknown, at: Path): T | undefined {
    const result = v.safeParse(schema, value)
    if (result.success) return result.output
    for (const issue of result.issues) {
      const keys = issue.path?.map(({ key }) => key as string | number) ?? []
      this.problems.add(this.lineOf([...at, ...keys]), describeIssue(issue, at))
    }
    return undefined
  }

  /** Notes each key that is not known. */
  keys(value: object, known: readonly string[], at: Path): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue
      const near = didYouMean([key], known, otherNames)
      this.say([...at, key], `is not known; ${near ?? `expected ${known.join(', ')}`}`)
    }
  }

  say(at: Path, words: string): void {
    this.problems.addAt(this.lineOf(at), at, words)
  }

  lineOf(path: Path): number {
    return this.places.lineOf(path)
  }
}

/** What people call some keys elsewhere, in lower case. */
const otherNames = {
  call: ['calls'],
  targets: ['calls'],
  command: ['deliver'],
  hook: ['deliver'],
  expiry: ['expires'],
  'expires-at': ['expires'],
  server_file: ['serverFile'],
  'server-file': ['serverFile'],
  client_file: ['clientFile'],
  'client-file': ['clientFile'],
  'rotate-after': ['rotateAfter'],
  rotate_after: ['rotateAfter'],
  'allow-hosts': ['allowHosts'],
  allow_hosts: ['allowHosts'],
  comment: ['note'],
  description: ['note'],
  clients: ['peers'],
  servers: ['agents'],
}
