import { parse } from 'csv-parse/sync'
import { entryOf, invalidImport, requestFrom, type Entry, type Fields } from './entry.js'

const columns = new Set(['name', 'peer', 'seed', 'token', 'algorithm', 'digits', 'period', 'replay', 'note'])

/** CSV (RFC 4180) whose first line names the columns, in any order; all but `name` may be left out or empty. */
export function readCsv(text: string): Entry[] {
  return rowsOf(text).map(({ record, info }) =>
    entryOf(`line ${info.lines}`, () => {
      if (info.error) throw invalidImport('this line has more or fewer fields than there are columns')
      return requestFrom(record)
    }),
  )
}

interface Row {
  readonly record: Fields
  readonly info: { readonly lines: number; readonly error?: unknown }
}

function rowsOf(text: string): Row[] {
  try {
    return parse(text, {
      columns: columnsOf,
      info: true,
      skip_empty_lines: true,
      trim: true,
      bom: true,
      relax_column_count: true,
    }) as unknown as Row[]
  } catch {
    // The cause is dropped on purpose: it quotes what stands around the mistake.
    throw invalidImport(
      `this is no CSV whose first line names its columns: ${[...columns].join(', ')}; nor JSON, nor otpauth URIs`,
    )
  }
}

/** @throws when a column is not known: then the first line is no line of names, and may hold a secret. */
function columnsOf(names: readonly string[]): string[] {
  const lower = names.map((name) => name.toLowerCase())
  const known = lower.every((name) => columns.has(name)) && new Set(lower).size === lower.length
  if (known && (lower.includes('name') || lower.includes('peer'))) return lower
  throw invalidImport('unknown column')
}
