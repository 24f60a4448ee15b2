const gap = '  '

/** Aligns rows in columns, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows)
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(gap)
        .trimEnd(),
    )
    .join('\n')
}

/**
 * A table with a header, for a terminal of this width. Where it is too wide, the last column goes under each row; where
 * it still is, each row becomes a block: its first cell, and under it the others with their headers.
 *
 * @param width undefined where nothing limits it
 */
export function tableIn(
  width: number | undefined,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const whole = [header, ...rows]
  if (width === undefined || widthOf(whole) <= width) return table(whole)
  const shorter = whole.map((row) => row.slice(0, -1))
  if (widthOf(shorter) <= width) {
    const [first = '', ...others] = table(shorter).split('\n')
    return [first, ...others.flatMap((line, index) => [line, ...lastOf(rows[index])])].join('\n')
  }
  const names = header.map((name) => name.toLowerCase())
  const widest = Math.max(...names.slice(1).map((name) => name.length))
  return rows.map((row) => block(names, row, widest)).join('\n')
}

function block(names: readonly string[], [first = '', ...cells]: readonly string[], widest: number): string {
  const lines = cells.map((cell, index) =>
    cell === '' || cell === '-' ? [] : `${gap}${(names[index + 1] ?? '').padEnd(widest)}${gap}${cell}`,
  )
  return [first, ...lines.flat()].join('\n')
}

function lastOf(row: readonly string[] = []): string[] {
  const last = row.at(-1) ?? ''
  return last === '' || last === '-' ? [] : [`${gap}${last}`]
}

const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))

/** Of its longest line; spaces at the end do not count. */
const widthOf = (rows: readonly (readonly string[])[]): number =>
  Math.max(
    ...table(rows)
      .split('\n')
      .map((line) => line.length),
  )
