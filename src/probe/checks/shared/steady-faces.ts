/** So many words in front of one tell where in an answer it stands: the quotes and the colon of JSON are words too. */
const wordsInFront = 4

const wordsOf = (face: string): readonly string[] => face.match(/[\w.+/=~-]+|[^]/g) ?? []

/**
 * How two answers that mean the same make all answers of an agent comparable: what stands where these two differ, such as
 * the id of a request or a time, is left out.
 */
export function steadyBy(one: string, other: string): (face: string) => string {
  const [first, second] = [wordsOf(one), wordsOf(other)]
  const places = new Set<string>()
  // Nothing is known of places where one has more words than the other.
  if (first.length === second.length) {
    const before: string[] = []
    for (const [index, word] of first.entries()) {
      const isSteady = word === second[index]
      if (!isSteady) places.add(placeAfter(before))
      before.push(isSteady ? word : leftOut)
    }
  }
  return (face) => {
    const kept: string[] = []
    for (const word of wordsOf(face)) kept.push(places.has(placeAfter(kept)) ? leftOut : word)
    return kept.join('')
  }
}

const leftOut = '…'

const placeAfter = (words: readonly string[]): string => JSON.stringify(words.slice(-wordsInFront))
