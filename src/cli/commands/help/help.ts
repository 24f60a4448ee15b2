import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { inContext } from '../../context.js'
import { topics } from './help-topics.js'

export const define = inContext((command, { output, wholeProgram }) =>
  command
    .argument('[topic...]', `a command, or one of ${Object.keys(topics).join(', ')}`)
    .addHelpText('after', '\nExamples:\n  $ a2a-totp help rotate\n  $ a2a-totp help encryption')
    .action(async (words: string[]) => {
      const [topic = ''] = words
      const text = Object.hasOwn(topics, topic) ? topics[topic] : undefined
      const content = text ?? helpOf(commandNamed(await wholeProgram(), words))
      output.result(content, { topic: words.join(' '), content })
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
    const next = found.commands.find((each) => each.name() === word || each.aliases().includes(word))
    if (!next)
      throw new TOTPError('ERR_USAGE', 'no such command or topic; `a2a-totp help help` lists the topics')
    found = next
  }
  return found
}
