/**
 * Returns the word that was probably meant: the only one that contains the text, or else the one that differs from it
 * least, in a letter or two; two letters that changed places count as one. Undefined where none is near.
 */
export function nearest<Word extends string>(text: string, words: readonly Word[]): Word | undefined {
  const wanted = text.toLowerCase()
  const containing = wanted.length < 3 ? [] : words.filter((word) => word.toLowerCase().includes(wanted))
  if (containing.length === 1) return containing[0]
  const most = wanted.length < 4 ? 1 : mostTypos
  const near = words
    .map((word) => ({ word, distance: distanceOf(wanted, word.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((one, other) => one.distance - other.distance)
  return near[0]?.word
}

/**
 * Returns the question that ends a message about unknown words: `did you mean alice?`, with one word for each of the
 * given ones that has a near one; undefined where none has. It quotes only known words, never what was given.
 *
 * @param otherNames what people call some of the words elsewhere, in lower case: `{ yml: ['yaml'] }`
 */
export function didYouMean(
  given: readonly string[],
  words: readonly string[],
  otherNames: Readonly<Record<string, readonly string[]>> = {},
): string | undefined {
  const meant = given.flatMap((text) => {
    const names = Object.hasOwn(otherNames, text.toLowerCase()) ? otherNames[text.toLowerCase()] : undefined
    return names?.find((name) => words.includes(name)) ?? nearest(text, words) ?? []
  })
  return meant.length === 0 ? undefined : `did you mean ${[...new Set(meant)].join(', ')}?`
}

const mostTypos = 2

/** How many letters to insert, delete, replace or swap with their neighbour (Damerau-Levenshtein). */
function distanceOf(one: string, other: string): number {
  // Words are short, so a longer text is none of them.
  if (Math.abs(one.length - other.length) > mostTypos) return Infinity
  const rows = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0
  for (let row = 1; row <= one.length; row++) {
    rows.push([row])
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      // Never in the first row or column, where there is no letter before.
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      rows[row]?.push(
        Math.min(
          at(row - 1, column - 1) + (same ? 0 : 1),
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          swapped ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      )
    }
  }
  return at(one.length, other.length)
}
