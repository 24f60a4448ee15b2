import type { Command } from 'commander'

/** Commands whose arguments name peers that are there. */
const takesPeers = new Set(['code', 'config', 'probe', 'remove-peer', 'revoke', 'rotate', 'show', 'verify'])

/** Asks for peers without a terminal, so that nobody is asked for a passphrase in the middle of a line. */
const askForPeers = 'complete-peers </dev/null 2>/dev/null'

/** One script a shell, made from the commands as they are. */
export const completions = {
  bash: (program: Command) => `# a2a-totp completion for bash
_a2a_totp() {
  local word words='' command='' store='' after=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ "$after" = --store ]; then store=$word
    elif [ -z "$command" ] && [ "\${word#-}" = "$word" ]; then command=$word
    fi
    after=$word
  done
${choose(program, '$(a2a-totp ${store:+--store "$store"} ' + askForPeers + ')')}
  [ "$after" = --store ] && words=''
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _a2a_totp a2a-totp
`,
  zsh: (program: Command) => `#compdef a2a-totp
_a2a_totp() {
  local word wanted='' command='' store='' after=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ $after == --store ]]; then store=$word
    elif [[ -z $command && $word != -* ]]; then command=$word
    fi
    after=$word
  done
  if [[ $after == --store ]]; then _files; return; fi
${choose(program, '$(a2a-totp ${store:+--store} ${store:+$store} ' + askForPeers + ')').replaceAll('words=', 'wanted=')}
  compadd -- \${=wanted} || _files
}
compdef _a2a_totp a2a-totp
`,
  fish: (program: Command) =>
    [
      '# a2a-totp completion for fish',
      ...program.options.map((option) => fishOption('', option)),
      ...visible(program).flatMap((command) => fishCommand(command)),
      '',
    ].join('\n'),
} satisfies Record<string, (program: Command) => string>

/** A \`case\` that puts what may follow each command into \`words\`; bash and zsh read it alike. */
function choose(program: Command, peers: string): string {
  const branch = (name: string, words: readonly string[]): string =>
    `    ${name}) words="${[...words, ...(takesPeers.has(name) ? [peers] : [])].join(' ')}" ;;`
  const commands = visible(program).flatMap((command) => namesOf(command))
  return [
    '  case $command in',
    branch("''", [...commands, ...longOptions(program)]),
    ...visible(program).flatMap((command) =>
      namesOf(command).map((name) => branch(name, followers(command))),
    ),
    '  esac',
  ].join('\n')
}

function fishCommand(command: Command): string[] {
  const names = namesOf(command)
  const seen = `-n '__fish_seen_subcommand_from ${names.join(' ')}'`
  return [
    ...names.map(
      (name) =>
        `complete -c a2a-totp -n __fish_use_subcommand -a ${name} -d '${quoted(command.description())}'`,
    ),
    ...command.commands.map(
      (sub) => `complete -c a2a-totp ${seen} -a ${sub.name()} -d '${quoted(sub.description())}'`,
    ),
    ...[command, ...command.commands].flatMap(({ options }) =>
      options.map((option) => fishOption(seen, option)),
    ),
    ...(names.some((name) => takesPeers.has(name))
      ? [`complete -c a2a-totp ${seen} -a '(a2a-totp ${askForPeers})'`]
      : []),
  ]
}

function fishOption(seen: string, { long, description, required }: Command['options'][number]): string {
  const words = ['complete -c a2a-totp', seen, `-l ${(long ?? '').slice(2)}`, required ? '-r' : '']
  return `${words.filter(Boolean).join(' ')} -d '${quoted(description)}'`
}

const quoted = (text: string): string => text.replace(/[\\']/g, '\\$&')

const visible = (program: Command): readonly Command[] =>
  program.commands.filter((command) => command.name() !== 'complete-peers')

const namesOf = (command: Command): string[] => [command.name(), ...command.aliases()]

const longOptions = ({ options }: Command): string[] => options.flatMap(({ long }) => long ?? [])

const followers = (command: Command): string[] => [
  ...command.commands.map((sub) => sub.name()),
  ...new Set([command, ...command.commands].flatMap(longOptions)),
]
