import { completing, plainWords } from '../../completes.js'
import { inContext } from '../../context.js'
import { notOneOf } from '../../suggestions.js'
import { completions } from './completion-scripts.js'

const shells = Object.keys(completions)

export const define = inContext((command, { output, wholeProgram }) =>
  command
    .argument('<shell>', shells.join(', '), completing(parseShell, plainWords(shells)))
    .addHelpText(
      'after',
      `
Completes commands, options, their values and the names of peers: of the store of --store, if it is in the line.

Type the lines for zsh in zsh: $fpath is its own. It needs a folder there that you may write to.

Examples:
  $ mkdir -p ~/.local/share/bash-completion/completions
  $ a2a-totp completion bash > ~/.local/share/bash-completion/completions/a2a-totp
  $ mkdir -p "\${fpath[1]}"
  $ a2a-totp completion zsh > "\${fpath[1]}/_a2a-totp"
  $ mkdir -p ~/.config/fish/completions
  $ a2a-totp completion fish > ~/.config/fish/completions/a2a-totp.fish
  $ a2a-totp completion powershell >> $PROFILE`,
    )
    .action(async (shell: keyof typeof completions) => {
      const content = completions[shell](await wholeProgram())
      output.result(content, { shell, content })
    }),
)

function parseShell(value: string): string {
  if (shells.includes(value)) return value
  throw notOneOf('the shell', value, shells)
}
