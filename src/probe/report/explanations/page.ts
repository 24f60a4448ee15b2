/** What there is to say about a check beyond its line in the table. */
export interface Explanation {
  /** What a failure (or warning) means, in a paragraph. */
  readonly means: string
  /** What to do about it, the likeliest first. */
  readonly mend: readonly string[]
}
