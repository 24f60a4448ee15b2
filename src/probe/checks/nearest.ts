/** The id that was probably meant: one that contains the text, or differs from it in a letter or two. */
export function nearest<Id extends string>(text: string, ids: readonly Id[]): Id | undefined {
  const wanted = text.toLowerCase()
  const containing = wanted.length < 3 ? [] : ids.filter((id) => id.includes(wanted))
  if (containing.length === 1) return containing[0]
  const near = ids
    .map((id) => ({ id, distance: distanceOf(wanted, id) }))
    .filter(({ distance }) => distance <= mostTypos)
    .sort((one, other) => one.distance - other.distance)
  return near[0]?.id
}

const mostTypos = 2

/** How many letters to insert, delete or replace (Levenshtein). */
function distanceOf(one: string, other: string): number {
  // Ids are short, so a longer text is none of them.
  if (Math.abs(one.length - other.length) > mostTypos) return Infinity
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [at, letter] of Array.from(one).entries()) {
    const next = [at + 1]
    for (const [index, wanted] of Array.from(other).entries()) {
      const replaced = (row[index] ?? 0) + (letter === wanted ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
