import type { Command } from 'commander'
import { completesOf, type Completes, type Offer } from '../../completes.js'
import { commandsOf, namesOf } from '../../commands-of.js'
import { inContext, type CliContext } from '../../context.js'
import { operandOf, optionCalled, optionOffers, readWords, type TypedWords } from './typed-words.js'

/**
 * Called by the completion scripts, with each word before the one that is being typed in a `--before` of its own: words
 * of their own would be options of this command, and the script of npm for PowerShell drops a `--`. Prints an offer a
 * line, with a tab before its description; or the line `:files`, where the shell offers files.
 */
export const define = inContext((command, context) =>
  command
    .option('--word <text>', 'the word that is being typed', '')
    .option('--before <word>', 'a word before it', (word: string, before: string[]) => [...before, word], [])
    .action(async ({ word, before }: { word: string; before: string[] }) => {
      const program = await context.wholeProgram()
      const offers = await offersFor(context, program, before, word)
      if (offers === 'files') {
        context.output.result(':files', { files: true, words: [] })
        return
      }
      const fitting = offers.filter((offer) => offer.word.startsWith(word))
      context.output.result(fitting.map(lineOf).join('\n'), { files: false, words: fitting })
    }),
)

/** What a shell may offer for a word: words, in full, or files. */
async function offersFor(
  context: CliContext,
  program: Command,
  before: readonly string[],
  word: string,
): Promise<readonly Offer[] | 'files'> {
  const typed = readWords(program, before)
  const { command, pending, ended } = typed
  if (pending) return valuesOf(context, completesOf(pending), typed, word, '')
  const [flag = '', ...value] = word.split('=')
  if (!ended && word.startsWith('-') && value.length > 0) {
    const option = optionCalled(command, flag)
    if (!option?.required) return []
    return valuesOf(context, completesOf(option), typed, value.join('='), `${flag}=`)
  }
  if (!ended && word.startsWith('-')) return optionOffers(command)
  const groups = typed.operands.length === 0 ? commandOffers(command) : []
  if (groups.length > 0) return groups
  const operands = await valuesOf(context, operandOf(typed), typed, word, '')
  // Where nothing else can come, the options are what is left to offer.
  return operands.length === 0 && word === '' && !ended ? optionOffers(command) : operands
}

const commandOffers = (command: Command): Offer[] =>
  commandsOf(command).flatMap((one) => namesOf(one).map((word) => ({ word, description: one.description() })))

/** The values of an option or an operand, each after what is before it in its word. */
async function valuesOf(
  context: CliContext,
  completes: Completes | undefined,
  typed: TypedWords,
  value: string,
  prefix: string,
): Promise<readonly Offer[] | 'files'> {
  if (completes === undefined) return []
  if (completes === 'files') return 'files'
  if (completes === 'peers') {
    const named = new Set(typed.operands)
    const names = await peerNames(context, typed.store)
    return names.filter((name) => !named.has(name)).map((name) => ({ word: prefix + name }))
  }
  if (typeof completes === 'string') {
    const { meshNames } = await import('../mesh/mesh-names.js')
    const [, chosen = '', last = ''] = /^(.*,)?([^,]*)$/.exec(value) ?? []
    const names = await meshNames(context, completes, typed.file)
    return names.filter((name) => name.startsWith(last)).map((name) => ({ word: prefix + chosen + name }))
  }
  if (completes.orFile && value.includes('=')) return 'files'
  const chosen = completes.list ? value.split(',').slice(0, -1) : []
  const start = prefix + chosen.map((word) => `${word},`).join('')
  const words = await completes.words(typed.operands)
  return words
    .filter(({ word }) => !chosen.includes(word))
    .map((offer) => ({ ...offer, word: start + offer.word }))
}

/** The peers and canaries of the store that the command line names; none if it cannot be read. */
async function peerNames({ store, env }: CliContext, path: string | undefined): Promise<string[]> {
  const named = path?.replace(/^~(?=\/)/, env['HOME'] ?? '~')
  try {
    const { peers, canaries } = await (named === undefined ? store : store.at(named)).read()
    return [...peers.keys(), ...(canaries?.keys() ?? [])]
  } catch {
    return []
  }
}

const lineOf = ({ word, description = '' }: Offer): string =>
  description === '' ? word : `${word}\t${description.replace(/\s+/g, ' ')}`
