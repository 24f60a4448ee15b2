import type { Argument, Option } from 'commander'

/** A word that a shell may offer, and what it is. */
export interface Offer {
  readonly word: string
  readonly description?: string
}

/** The words of an argument or of an option's value. */
export interface Words {
  /** @param before the operands before this one */
  readonly words: (before: readonly string[]) => readonly Offer[] | Promise<readonly Offer[]>
  /** Several, with commas between them. */
  readonly list?: true
  /** `WORD=FILE` is a value as well. */
  readonly orFile?: true
}

/** What an argument or an option's value is, so that shells can complete it. */
export type Completes = 'peers' | 'files' | MeshWords | Words

/** Names in the mesh file: a part is an agent, or an edge as `PEER:AGENT`; of those several, with commas between them. */
export type MeshWords = 'mesh-agents' | 'mesh-peers' | 'mesh-edges' | 'mesh-parts'

/** Anything that may say what it completes to. */
interface Completing {
  readonly completes?: Completes
}

/** Says what an argument, or the parser of an option, completes to. */
export const completing = <T extends object>(target: T, completes: Completes): T & Completing =>
  Object.assign(target, { completes })

/** Words without descriptions. */
export const plainWords = (words: readonly string[]): Words => ({
  words: () => words.map((word) => ({ word })),
})

/** The arguments of commander's `argument` or `option`, for words with these completions. */
export function completed(
  flags: string,
  description: string,
  completes: Completes,
): [flags: string, description: string, parser: (value: string) => string] {
  const one = (value: string): string => value
  const several = (value: string, before: readonly string[] = []): string[] => [...before, value]
  // commander collects what the parser of `...` returns; its types know only one value.
  const parser = flags.includes('...') ? (several as unknown as typeof one) : one
  return [flags, description, completing(parser, completes)]
}

/** An argument, or the value of an option, that names one or more existing peers: `<name>`, `[names...]`. */
export const peerArgument = (flags: string, description: string): ReturnType<typeof completed> =>
  completed(flags, description, 'peers')

/** What is said of an argument or option, else files where its placeholder names a file. */
export function completesOf(target: Argument | Option): Completes | undefined {
  const said =
    (target as Completing).completes ?? (target.parseArg as unknown as Completing | undefined)?.completes
  if (said !== undefined) return said
  const [, placeholder = ''] =
    'flags' in target ? (/[<[](.*)[>\]]/.exec(target.flags) ?? []) : ['', target.name()]
  return /^(file|path|store|folder)s?\b/.test(placeholder) ? 'files' : undefined
}
