import { Argument, Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { completions } from './completion-scripts.js'
import type { CliContext } from '../../context.js'

export const completionCommand = ({ output }: CliContext): Command =>
  new Command('completion')
    .description('a script that lets a shell complete commands, options and peer names')
    .addArgument(
      new Argument('<shell>', Object.keys(completions).join(', ')).argParser((value: string) => {
        if (Object.hasOwn(completions, value)) return value
        throw new TOTPError('ERR_USAGE', `the shell must be one of ${Object.keys(completions).join(', ')}`)
      }),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp completion bash > ~/.local/share/bash-completion/completions/a2a-totp
  $ a2a-totp completion zsh > "\${fpath[1]}/_a2a-totp"
  $ a2a-totp completion fish > ~/.config/fish/completions/a2a-totp.fish`,
    )
    .action((shell: keyof typeof completions, _options: object, command: Command) => {
      const content = completions[shell](command.parent ?? command)
      output.result(content, { shell, content })
    })

/** What the scripts ask: the peers' names, one a line, and nothing at all where they cannot be told. */
export const completePeersCommand = ({ store, output }: CliContext): Command =>
  new Command('complete-peers').action(async () => {
    const names = await store.read().then(
      ({ peers }) => [...peers.keys()],
      () => [],
    )
    output.result(names.join('\n'), { names })
  })
