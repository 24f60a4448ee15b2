import { isName, quoteName } from './name.js'

// What the readers of stores and server files share. They check documents with valibot, which core does not import: an
// issue is described here by its shape alone.

/** Where a value is in a document: the keys and indexes from the top. */
export type Path = readonly (string | number)[]

/** A path as an error shows it, such as `peers.alice.seeds[0].seed`. */
export function formatPath(path: Path): string {
  if (path.length === 0) return 'the document'
  return path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : (at > 0 ? '.' : '') + showKey(key)))
    .join('')
}

/** A key is shown unless it could be a secret that was pasted in the wrong place. */
function showKey(key: string): string {
  return isName(key) && quoteName(key).startsWith('"') ? key : '(a key that is not shown)'
}

/** An issue that valibot found. */
export interface SchemaIssue {
  readonly type: string
  readonly expected: string | null
  readonly received: string
  readonly message: string
  readonly path?: readonly { readonly key: unknown }[]
}

/**
 * Where and how a document breaks its schema. Never quotes a value: valibot's own messages for objects and arrays do,
 * so they are replaced; the schemas set the message of everything else.
 *
 * @param at where the checked value is in the document
 */
export function describeIssue(issue: SchemaIssue, at: Path): string {
  const keys = issue.path?.map(({ key }) => key as string | number) ?? []
  return `${formatPath([...at, ...keys])} ${wordsFor(issue)}`
}

function wordsFor({ type, expected, received, message }: SchemaIssue): string {
  if (expected === 'never') return 'is not known to this version'
  if (received === 'undefined') return 'is missing'
  if (type === 'object' || type === 'strict_object') return 'must be an object'
  if (type === 'array') return 'must be a list'
  return message
}

/** The result of a parser whose error must not be shown; undefined when it throws. */
export function resultOrNone<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
