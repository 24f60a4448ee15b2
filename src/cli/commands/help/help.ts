import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { commandCalled, commandNames, commandsOf } from '../../commands-of.js'
import { completed, type Offer } from '../../completes.js'
import { inContext } from '../../context.js'
import { fitted } from '../../help-layout.js'
import { asciiOf } from '../../../core/ascii.js'
import { suggestion } from '../../suggestions.js'
import { topics } from './help-topics.js'

export const define = inContext((command, { output, wholeProgram }) =>
  command
    .argument(
      ...completed('[topic...]', `a command, or one of ${Object.keys(topics).join(', ')}`, {
        words: async (before) => wordsAfter(await wholeProgram(), before),
      }),
    )
    .addHelpText('after', '\nExamples:\n  $ a2a-totp help rotate\n  $ a2a-totp help encryption')
    .action(async (words: string[] = []) => {
      const [topic = ''] = words
      const text = Object.hasOwn(topics, topic) ? topics[topic] : undefined
      const content = text ?? helpOf(commandNamed(await wholeProgram(), words))
      const shown = output.unicode ? content : asciiOf(content)
      output.result(fitted(shown, output.width), { topic: words.join(' '), content })
    }),
)

/** Everything that `--help` prints, including the examples, which commander's `helpInformation` lacks. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return text
}

function commandNamed(program: Command, words: readonly string[]): Command {
  let found = program
  for (const word of words) {
    const next = commandCalled(found, word)
    if (!next) {
      const known = [...commandNames(found), ...(found === program ? Object.keys(topics) : [])]
      const question = suggestion([word], known)
      throw new TOTPError(
        'ERR_USAGE',
        `no such command or topic${question === undefined ? '' : ` (${question})`}; \`a2a-totp help help\` lists the topics`,
      )
    }
    found = next
  }
  return found
}

/** The commands and topics, or the commands of a group. */
function wordsAfter(program: Command, before: readonly string[]): Offer[] {
  const [name] = before
  const group = name === undefined ? program : commandCalled(program, name)
  const commands = group ? commandsOf(group) : []
  return [
    ...commands.map((one) => ({ word: one.name(), description: one.description() })),
    ...(name === undefined
      ? Object.keys(topics).map((word) => ({ word, description: `about ${word}` }))
      : []),
  ]
}
