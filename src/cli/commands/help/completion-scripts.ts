import type { Command, Option } from 'commander'
import { topics } from './help-topics.js'
import type { WordParser } from '../../options.js'

/** One script per shell, generated from the commands. */
export const completions = {
  bash: (program: Command) => `# a2a-totp completion for bash
_a2a_totp() {
  local word wanted='' place='' store='' after=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ "$after" = --store ]; then store=$word
    else
${walk(program)}
    fi
    after=$word
  done
${choose(program, '$(a2a-totp ${store:+--store "$store"} ' + askForPeers + ')')}
  COMPREPLY=($(compgen -W "$wanted" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _a2a_totp a2a-totp
`,
  zsh: (program: Command) => `#compdef a2a-totp
_a2a_totp() {
  local word wanted='' place='' store='' after=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ $after == --store ]]; then store=$word
    else
${walk(program)}
    fi
    after=$word
  done
${choose(program, '$(a2a-totp ${store:+--store} ${store:+$store} ' + askForPeers + ')')}
  compadd -- \${=wanted} || _files
}
compdef _a2a_totp a2a-totp
`,
  fish: (program: Command) =>
    [
      '# a2a-totp completion for fish',
      ...program.options.map((option) => fishOption('', option)),
      ...placesIn(program).flatMap((place) => fishPlace(place)),
      '',
    ].join('\n'),
} satisfies Record<string, (program: Command) => string>

/** Without a terminal, so that no passphrase is asked for in the middle of a line. */
const askForPeers = 'complete-peers </dev/null 2>/dev/null'

/** Commands whose operands name existing peers. */
const takesPeers = new Set([
  'code',
  'config client',
  'probe',
  'remove-peer',
  'revoke',
  'rotate',
  'show',
  'verify',
])

/** Commands whose operands are files. bash and zsh offer files if there is nothing else to offer. */
const takesFiles = new Set(['import', 'doctor'])

/** A position in a command line: before a command, after one, or after a subcommand. */
interface Place {
  /** `config server`; empty before a command. */
  readonly path: string
  readonly command: Command
  /** What may come next, apart from options. */
  readonly operands: readonly string[]
  readonly peers: boolean
}

function placesIn(program: Command): Place[] {
  const commands = program.commands.filter((command) => command.name() !== 'complete-peers')
  const names = commands.flatMap(namesOf)
  const words: Readonly<Record<string, readonly string[]>> = {
    help: [...names, ...Object.keys(topics)],
    completion: Object.keys(completions),
  }
  const placeOf = (path: string, command: Command): Place => ({
    path,
    command,
    operands: words[path] ?? command.commands.map((sub) => sub.name()),
    peers: takesPeers.has(path),
  })
  return [
    { ...placeOf('', program), operands: names },
    ...commands.flatMap((command) => [
      ...namesOf(command).map((name) => placeOf(name, command)),
      ...command.commands.map((sub) => placeOf(`${command.name()} ${sub.name()}`, sub)),
    ]),
  ]
}

/** Shell lines that walk the words to a place; the same in bash and zsh. */
function walk(program: Command): string {
  const groups = program.commands.filter(({ commands }) => commands.length > 0).map((group) => group.name())
  return `      case "$word/$place" in
        -*) ;;
        */) place=$word ;;
        ${groups.map((group) => `*/${group}`).join('|')}) place="$place $word" ;;
      esac`
}

/** A `case` that puts what may come at a place into `wanted`, and one for the value of an option. */
function choose(program: Command, peers: string): string {
  const places = placesIn(program)
  const values = places.flatMap(({ path, command }) =>
    command.options
      .filter(({ required, variadic }) => required && !variadic)
      .map((option) => `    '${path} ${option.long ?? ''}') wanted='${wordsOf(option).join(' ')}' ;;`),
  )
  return [
    '  case $place in',
    ...places.map(({ path, command, operands, peers: named }) => {
      const wanted = [...operands, ...longOptions(command), ...(named ? [peers] : [])]
      return `    '${path}') wanted="${wanted.join(' ')}" ;;`
    }),
    '  esac',
    '  case "$place $after" in',
    `    *' --store') wanted='' ;;`,
    ...values,
    '  esac',
  ].join('\n')
}

function fishPlace({ path, command, operands, peers }: Place): string[] {
  const [first, second] = path.split(' ')
  const subs = command.commands.map((sub) => sub.name())
  const seen = (name: string | undefined): string => `__fish_seen_subcommand_from ${name ?? ''}`
  const here =
    path === ''
      ? '__fish_use_subcommand'
      : second === undefined
        ? seen(first) + (subs.length > 0 ? `; and not ${seen(subs.join(' '))}` : '')
        : `${seen(first)}; and ${seen(second)}`
  const describe = (name: string): string => {
    const named = command.commands.find((each) => namesOf(each).includes(name))
    return named ? ` -d '${quoted(named.description())}'` : ''
  }
  return [
    ...(takesFiles.has(path) ? [] : [`complete -c a2a-totp -n '${here}' -f`]),
    ...operands.map((word) => `complete -c a2a-totp -n '${here}' -a ${word}${describe(word)}`),
    ...(path === '' ? [] : command.options.map((option) => fishOption(`-n '${here}'`, option))),
    ...(peers ? [`complete -c a2a-totp -n '${here}' -a '(a2a-totp ${askForPeers})'`] : []),
  ]
}

function fishOption(here: string, option: Option): string {
  const choices = wordsOf(option)
  const value = choices.length > 0 ? `-x -a '${choices.join(' ')}'` : option.required ? '-r -F' : ''
  const words = ['complete -c a2a-totp', here, `-l ${(option.long ?? '').slice(2)}`, value]
  return `${words.filter(Boolean).join(' ')} -d '${quoted(option.description)}'`
}

const wordsOf = ({ parseArg }: Option): readonly string[] => (parseArg as WordParser | undefined)?.words ?? []

const quoted = (text: string): string => text.replace(/[\\']/g, '\\$&')

const namesOf = (command: Command): string[] => [command.name(), ...command.aliases()]

const longOptions = ({ options }: Command): string[] => options.flatMap(({ long }) => long ?? [])
