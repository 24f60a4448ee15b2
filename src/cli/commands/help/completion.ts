import { TOTPError } from '../../../core/errors.js'
import { completions } from './completion-scripts.js'
import { inContext } from '../../context.js'

export const define = inContext((command, { output, wholeProgram }) =>
  command
    .argument('<shell>', Object.keys(completions).join(', '), (value: string) => {
      if (Object.hasOwn(completions, value)) return value
      throw new TOTPError('ERR_USAGE', `the shell must be one of ${Object.keys(completions).join(', ')}`)
    })
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp completion bash > ~/.local/share/bash-completion/completions/a2a-totp
  $ a2a-totp completion zsh > "\${fpath[1]}/_a2a-totp"
  $ a2a-totp completion fish > ~/.config/fish/completions/a2a-totp.fish`,
    )
    .action(async (shell: keyof typeof completions) => {
      const content = completions[shell](await wholeProgram())
      output.result(content, { shell, content })
    }),
)
