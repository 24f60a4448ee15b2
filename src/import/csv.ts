import { parse } from 'csv-parse/sync'
import { quoteName } from '../core/name.js'
import { isCredentialKey } from './credential-likeness.js'
import { csvColumns } from './csv-columns.js'
import { entryOf, requestFrom, type Entry } from './entry.js'
import { invalidImport, type Fields } from './fields.js'
import { toolOfColumns } from './other-tools.js'

/** `peer` is another word for `name`. */
const columns: ReadonlySet<string> = new Set([csvColumns[0], 'peer', ...csvColumns.slice(1)])

/**
 * Reads CSV (RFC 4180) whose first line names the columns, in any order; all but `name` may be absent or empty. Also the
 * CSV of other tools.
 */
export function readCsv(text: string): Entry[] {
  const { rows, tool } = rowsOf(text)
  if (tool) return tool(rows.map(({ record, info }) => [`line ${info.lines}`, record]))
  return rows.map(({ record, info }) =>
    entryOf(`line ${info.lines}`, () => {
      if (info.error) throw invalidImport('this line has more or fewer fields than the header has columns')
      // A table can only leave out a value as an empty cell.
      return requestFrom(Object.fromEntries(Object.entries(record).filter(([, cell]) => cell !== '')))
    }),
  )
}

interface Row {
  readonly record: Fields
  readonly info: { readonly lines: number; readonly error?: unknown }
}

function rowsOf(text: string): { rows: Row[]; tool: ReturnType<typeof toolOfColumns> } {
  let unknown: string | undefined
  let tool: ReturnType<typeof toolOfColumns>
  try {
    const rows = parse(text, {
      columns: (names: readonly string[]) => {
        const lower = names.map((name) => name.toLowerCase())
        tool = toolOfColumns(lower)
        unknown = tool ? undefined : unknownColumns(lower)
        if (unknown !== undefined) throw invalidImport(unknown)
        return lower
      },
      info: true,
      skip_empty_lines: true,
      trim: true,
      bom: true,
      relax_column_count: true,
    }) as unknown as Row[]
    return { rows, tool }
  } catch {
    // The cause is dropped on purpose: it quotes the text around the error.
    throw invalidImport(unknown ?? notCsv)
  }
}

const notCsv = `unrecognised input; expected otpauth URIs, JSON, or CSV whose first line names the columns: ${[...columns].join(', ')}`

/** Returns what is wrong with the names of the columns, if anything. */
function unknownColumns(lower: readonly string[]): string | undefined {
  // Without one of these the line is not a header, and may contain a secret.
  if (!lower.includes('name') && !lower.includes('peer')) return notCsv
  if (new Set(lower).size < lower.length) return 'duplicate column; name each column once'
  const unknown = lower.filter((name) => !columns.has(name))
  const column = unknown.find(isCredentialKey) ?? unknown[0]
  if (column === undefined) return undefined
  return `unknown column ${quoteName(column)}; the columns are ${[...columns].join(', ')}`
}
