import type { Argument, Command, Option } from 'commander'
import { completesOf, type Completes, type Offer } from '../../completes.js'
import { commandCalled, withParents } from '../../commands-of.js'

/** A command line up to the word that is being typed. */
export interface TypedWords {
  readonly command: Command
  /** The operands of the command so far. */
  readonly operands: readonly string[]
  /** The option that waits for its value. */
  readonly pending?: Option
  /** Whether `--` has ended the options. */
  readonly ended: boolean
  /** The value of `--store`. */
  readonly store?: string
  /** The value of `--file`. */
  readonly file?: string
}

/** Reads the words before the one that is being typed. What makes no sense is passed over. */
export function readWords(program: Command, words: readonly string[]): TypedWords {
  let command = program
  let operands: string[] = []
  let pending: Option | undefined
  let missing = 0
  let ended = false
  const values: { store?: string; file?: string } = {}
  const note = (option: Option | undefined, value: string): void => {
    if (option?.long === '--store') values.store = value
    if (option?.long === '--file') values.file = value
  }
  for (const word of words) {
    if (pending) {
      note(pending, word)
      missing--
      if (missing <= 0) pending = undefined
    } else if (!ended && word === '--') ended = true
    else if (!ended && word.startsWith('-')) {
      const [flag = '', ...value] = word.split('=')
      const option = optionCalled(command, flag)
      if (value.length === 0) {
        pending = option?.required ? option : undefined
        missing = wordsOf(option)
      } else note(option, value.join('='))
    } else {
      const sub = operands.length === 0 ? commandCalled(command, word) : undefined
      if (sub) command = sub
      else operands = [...operands, word]
    }
  }
  return {
    command,
    operands,
    ended,
    ...(pending ? { pending } : {}),
    ...values,
  }
}

/** How many words an option takes at least: two for `--for <method> <url>`. */
const wordsOf = (option: Option | undefined): number => option?.flags.match(/[<[]/g)?.length ?? 0

/** An option of a command, or of the program that it is a part of. */
export const optionCalled = (command: Command, flag: string): Option | undefined =>
  withParents(command)
    .flatMap(({ options }) => options)
    .find(({ long, short }) => flag === long || flag === short)

/** The options that help shows, with those of the program. */
export function optionOffers(command: Command): Offer[] {
  const shown = withParents(command).flatMap((one) => {
    const help = one.createHelp()
    return help.visibleOptions(one)
  })
  const offers = shown.map(({ long, short, description }) => ({ word: long ?? short ?? '', description }))
  return [...new Map(offers.map((offer) => [offer.word, offer])).values()]
}

/** What the operand may be that is being typed. */
export function operandOf({ command, operands }: TypedWords): Completes | undefined {
  const { registeredArguments: known } = command
  const last = known.at(-1)
  const argument: Argument | undefined = known[operands.length] ?? (last?.variadic ? last : undefined)
  return argument && completesOf(argument)
}
