/** Between the parts of a token like a UUID. They add nothing that has to be guessed. */
const separators = /[-._~]/g

/** From small to large: a token is taken to be made of the first that has all its characters. */
const alphabets: readonly (readonly [all: RegExp, size: number])[] = [
  [/^[0-9]*$/, 10],
  [/^([0-9a-f]*|[0-9A-F]*)$/, 16],
  [/^([a-z]*|[A-Z]*)$/, 26],
  [/^([a-z0-9]*|[A-Z0-9]*)$/, 36],
]

/** RFC 6750's b64token has four characters more, which change little. */
const largestAlphabet = 64

/**
 * Estimates how many bits have to be guessed of a token that somebody else made: its characters, each of the smallest
 * alphabet that has all of them. What is repeated counts once. It cannot see words or a weak generator, so it is an upper
 * bound.
 */
export function estimateTokenBits(token: string): number {
  const text = withoutRepetition(token.replace(/=+$/, ''))
  const [, size] = alphabets.find(([all]) => all.test(text.replace(separators, ''))) ?? [
    /.*/,
    largestAlphabet,
  ]
  const counted = size === largestAlphabet ? text : text.replace(separators, '')
  return Math.floor(counted.length * Math.log2(size))
}

/**
 * Repetition of at least eight characters. Less of it shows by chance: of a thousand random tokens of 32 hex digits one has
 * five equal ones in a row.
 */
const repetition = /(.)\1{8,}|(.{2})\2{4,}|(.{3})\3{3,}|(.{4})\4{2,}|(.{5,7}?)\5{2,}|(.{8,64}?)\6+/g

function withoutRepetition(given: string): string {
  const text = withoutSequences(given)
  return repeatsFour(text) ? text.replace(repetition, '$1$2$3$4$5$6') : text
}

/** Whether four characters in a row come again, as they do in each repetition. To look for that takes a fifth of the time. */
function repeatsFour(text: string): boolean {
  for (let at = 0; at + 4 < text.length; at++) {
    if (text.includes(text.slice(at, at + 4), at + 1)) return true
  }
  return false
}

const fewestInSequence = 9

/** `abcdef` and `654321` are two choices: where to begin, and the direction. */
function withoutSequences(text: string): string {
  let kept = ''
  for (let from = 0; from < text.length;) {
    const step = text.charCodeAt(from + 1) - text.charCodeAt(from)
    let to = from + 1
    if (Math.abs(step) === 1)
      while (to < text.length && text.charCodeAt(to) - text.charCodeAt(to - 1) === step) to++
    kept += to - from >= fewestInSequence ? text.slice(from, from + 2) : text.slice(from, to)
    from = to
  }
  return kept
}
