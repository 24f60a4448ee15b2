import { parse } from 'csv-parse/sync'
import { quoteName } from '../core/name.js'
import { isCredentialKey } from './credential-likeness.js'
import { entryOf, requestFrom, type Entry } from './entry.js'
import { invalidImport, type Fields } from './fields.js'
import { cannotRead, toolOfColumns } from './other-tools.js'

const columns = new Set(['name', 'peer', 'seed', 'token', 'algorithm', 'digits', 'period', 'replay', 'note'])

/** CSV (RFC 4180) whose first line names the columns, in any order; all but `name` may be left out or empty. */
export function readCsv(text: string): Entry[] {
  return rowsOf(text).map(({ record, info }) =>
    entryOf(`line ${info.lines}`, () => {
      if (info.error) throw invalidImport('this line has more or fewer fields than there are columns')
      // In a table a missing value is an empty cell: there is no other way to leave it out.
      return requestFrom(Object.fromEntries(Object.entries(record).filter(([, cell]) => cell !== '')))
    }),
  )
}

interface Row {
  readonly record: Fields
  readonly info: { readonly lines: number; readonly error?: unknown }
}

function rowsOf(text: string): Row[] {
  let unknown: string | undefined
  try {
    return parse(text, {
      columns: (names: readonly string[]) => {
        const lower = names.map((name) => name.toLowerCase())
        unknown = unknownColumns(lower)
        if (unknown !== undefined) throw invalidImport(unknown)
        return lower
      },
      info: true,
      skip_empty_lines: true,
      trim: true,
      bom: true,
      relax_column_count: true,
    }) as unknown as Row[]
  } catch {
    // The cause is dropped on purpose: it quotes what stands around the mistake.
    throw invalidImport(unknown ?? notCsv)
  }
}

const notCsv = `this is no CSV whose first line names its columns: ${[...columns].join(', ')}; nor JSON, nor otpauth URIs`

/** What is wrong with the names of the columns. */
function unknownColumns(lower: readonly string[]): string | undefined {
  const tool = toolOfColumns(lower)
  if (tool !== undefined) return cannotRead(tool)
  // Otherwise it is no line of names, and may hold a secret.
  if (!lower.includes('name') && !lower.includes('peer')) return notCsv
  if (new Set(lower).size < lower.length) return 'a column is named twice; name each column once'
  const unknown = lower.filter((name) => !columns.has(name))
  const column = unknown.find(isCredentialKey) ?? unknown[0]
  if (column === undefined) return undefined
  return `the column ${quoteName(column)} is not known; the columns are ${[...columns].join(', ')}`
}
