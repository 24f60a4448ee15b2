/** One part of a long run: arguments of Node, from the root of the checkout. */
export interface Part {
  readonly name: string
  readonly args: readonly string[]
  /** It runs only where its name is an argument. */
  readonly byNameAlone?: boolean
}

/** How a part ended. */
export interface Note {
  readonly passed: boolean
  /** The code that it ran on, as `codeOf` of `notes.mjs` spells it. */
  readonly code: string
  readonly seconds: number
  /** When it ended, as RFC 3339 writes instants. */
  readonly at: string
  /** The last line of what it printed. */
  readonly lastLine: string
}

/** The last note of each part, by its name. */
export type Notes = Readonly<Record<string, Note>>

export declare const promisedNodes: readonly string[]

export declare function partsOf(found: {
  readonly files: readonly string[]
  readonly mutation: readonly string[]
}): Part[]

export declare function notesOn(notes: Notes, code: string): Notes

export declare function planOf(
  parts: readonly Part[],
  asked: { readonly names: readonly string[]; readonly resume: boolean; readonly notes: Notes },
): { readonly asked: Part[]; readonly run: Part[] }

export declare function tableOf(parts: readonly Part[], notes: Notes): string
