import type { Token, TokenHash } from '../core/token.js'

export const minimumTokenBits = 128

/** Whether a token has enough bits, by its length and the characters in it. A repeated pattern counts once. */
export function isStrongToken({ value }: Token | TokenHash): boolean {
  // Known by its hash alone.
  if (value === undefined) return true
  const period = Array.from({ length: value.length - 1 }, (_, index) => index + 1).find((length) =>
    isPeriod(value, length),
  )
  return (period ?? value.length) * Math.log2(alphabetOf(value)) >= minimumTokenBits
}

const isPeriod = (text: string, length: number): boolean => text.slice(length) === text.slice(0, -length)

function alphabetOf(text: string): number {
  if (/^[0-9a-f]+$/.test(text) || /^[0-9A-F]+$/.test(text)) return /[a-f]/i.test(text) ? 16 : 10
  const classes: [RegExp, number][] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^A-Za-z0-9]/, 6],
  ]
  return classes.reduce((sum, [one, size]) => sum + (one.test(text) ? size : 0), 0)
}
