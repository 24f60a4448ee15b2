import { PassThrough } from 'node:stream'
import type { Command, Option } from 'commander'
import { commandsOf, namesOf } from '../src/cli/commands-of.js'
import { topics } from '../src/cli/commands/help/help-topics.js'
import { commands } from '../src/cli/main.js'
import { runCommandLine } from '../src/cli/program.js'

/** A page of the manual, as man(7) source. */
export interface ManPage {
  /** Its file, with the section: `a2a-totp-add-peer.1`. */
  readonly file: string
  readonly text: string
}

/** What stands at the foot of each page. */
export interface Edition {
  readonly version: string
  /** As `2026-11-30`; empty for a version that is not released. */
  readonly date: string
}

/** The pages of the program, of each command, and of each topic of `help`, from the texts that these print. */
export async function manPages(edition: Edition): Promise<ManPage[]> {
  const program = await wholeProgram()
  return [
    ...withParts(program).map((command) => commandPage(command, program, edition)),
    ...Object.entries(topics).map(([topic, text]) => topicPage(topic, text, edition)),
  ]
}

async function wholeProgram(): Promise<Command> {
  let program: Command | undefined
  const define = {
    define: (command: Command, { wholeProgram: whole }: { wholeProgram: () => Promise<Command> }) => {
      command.action(async () => {
        program = await whole()
      })
    },
  }
  const streams = { stdin: () => new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const taken = { description: '', hidden: true as const, load: () => Promise.resolve(define) }
  const system = { ...streams, env: {}, cwd: '/', signal: new AbortController().signal }
  await runCommandLine({ ...commands, 'take-program': taken }, ['take-program'], system)
  if (!program) throw new Error('the program was not defined')
  return program
}

/** A command and all commands under it that help shows. */
const withParts = (command: Command): Command[] => [command, ...commandsOf(command).flatMap(withParts)]

/** `a2a-totp-mesh-apply` */
const pageOf = (command: Command): string =>
  command.parent ? `${pageOf(command.parent)}-${command.name()}` : command.name()

/** `a2a-totp mesh apply` */
const calledBy = (command: Command): string => pageWords(command).join(' ')
const pageWords = (command: Command): string[] => [
  ...(command.parent ? pageWords(command.parent) : []),
  command.name(),
]

function commandPage(command: Command, program: Command, edition: Edition): ManPage {
  const name = pageOf(command)
  const help = command.createHelp()
  const own = help.visibleOptions(command)
  const general = command === program ? [] : program.createHelp().visibleOptions(program)
  const optionItem = (option: Option): string => item(option.flags, help.optionDescription(option))
  const { DESCRIPTION = '', EXAMPLES = '', ...more } = sectionsOf(afterHelp(command))
  const text = [
    heading(name, 1, edition),
    section('NAME', `${plain(name)} \\- ${plain(firstLower(command.description().replace(/\.$/, '')))}`),
    section('SYNOPSIS', `.B ${plain(calledBy(command))}\n${plain(command.usage())}`),
    section('OTHER NAMES', plain(namesOf(command).slice(1).join(', '))),
    section('DESCRIPTION', command === program ? `${purpose}\n${DESCRIPTION}` : DESCRIPTION),
    section(
      'ARGUMENTS',
      help
        .visibleArguments(command)
        .map((one) => item(one.name(), help.argumentDescription(one)))
        .join('\n'),
    ),
    section(
      'COMMANDS',
      commandsOf(command)
        .map((part) => `.TP\n${reference(pageOf(part), 1)}\n${plain(part.description())}`)
        .join('\n'),
    ),
    section('OPTIONS', own.map(optionItem).join('\n')),
    section('OPTIONS OF EVERY COMMAND', general.filter(isOfEveryCommand).map(optionItem).join('\n')),
    ...(command === program ? ofTheProgram : []).map(([title, topic]) =>
      section(title, sectionsOf(topics[topic] ?? '')['DESCRIPTION'] ?? ''),
    ),
    ...Object.entries(more).map(([title, content]) => section(title, content)),
    section('EXAMPLES', EXAMPLES),
    section('SEE ALSO', seeAlso(command, program)),
  ]
  return { file: `${name}.1`, text: text.join('') }
}

/** Help has no room for it: whoever asks the program has it already. */
const purpose = `Whoever steals the bearer token of an A2A agent passes as that agent. a2a-totp adds a second factor to each request:
the header X-TOTP with a code of RFC 6238, made from a seed that is never sent. It keeps seeds and tokens in a store, writes what
agents and their peers need, prints codes, stands in front of agents and clients of any language, and proves against a live agent
that both factors are required.
.PP`

/** The sections that man(7) has names for, and the topics which they are. */
const ofTheProgram = [
  ['EXIT STATUS', 'exit-codes'],
  ['ENVIRONMENT', 'environment'],
  ['FILES', 'store'],
] as const

function topicPage(topic: string, text: string, edition: Edition): ManPage {
  const name = `a2a-totp-${topic}`
  const [first = ''] = text.split('\n')
  const parts = [
    heading(name, 7, edition),
    section('NAME', `${plain(name)} \\- ${plain(firstLower(first.replace(/\.$|\. .*$|:.*$/, '')))}`),
    ...Object.entries(sectionsOf(text)).map(([title, content]) => section(title, content)),
    section('SEE ALSO', reference('a2a-totp', 1)),
  ]
  return { file: `${name}.7`, text: parts.join('') }
}

const isOfEveryCommand = ({ long }: Option): boolean => long !== '--version' && long !== '--help'

/** What follows the lists of commander: explanations and examples. */
function afterHelp(command: Command): string {
  let whole = ''
  const before = command.configureOutput()
  command.configureOutput({ writeOut: (text) => (whole += text) }).outputHelp()
  command.configureOutput(before)
  const own = command.helpInformation()
  return whole.startsWith(own) ? whole.slice(own.length) : whole
}

/** Paragraphs by their section: one that begins with a line like `Examples:` begins a section of its own. */
function sectionsOf(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const block of text.trim().split(/\n{2,}/)) {
    const [, title, rest] = /^([A-Z][\w ]*):\n(.*)$/s.exec(block) ?? []
    const name = title?.toUpperCase() ?? 'DESCRIPTION'
    const lines = paragraph((rest ?? block).split('\n'))
    found[name] = [...(found[name] === undefined ? [] : [found[name]]), lines].join('\n.PP\n')
  }
  return found
}

/** Lines that are indented are shown as they are, others are filled. */
function paragraph(lines: readonly string[]): string {
  const shown: string[] = []
  let literal = false
  for (const line of lines) {
    const isLiteral = /^\s/.test(line)
    if (isLiteral !== literal) shown.push(isLiteral ? '.PP\n.nf' : '.fi\n.PP')
    literal = isLiteral
    shown.push(plain(line))
  }
  if (literal) shown.push('.fi')
  return shown.join('\n').replace(/^\.PP\n/, '')
}

function seeAlso(command: Command, program: Command): string {
  const { parent } = command
  const pages = parent
    ? [parent, ...commandsOf(parent).filter((one) => one !== command && parent !== program)]
    : []
  return [
    ...pages.map((one) => reference(pageOf(one), 1)),
    ...Object.keys(topics).map((topic) => reference(`a2a-totp-${topic}`, 7)),
  ].join(',\n')
}

const reference = (page: string, manual: number): string => `.BR ${plain(page)} (${manual})`

const heading = (page: string, manual: number, { version, date }: Edition): string =>
  `.TH ${page.toUpperCase()} ${manual} "${date}" "a2a-totp ${version}" "a2a-totp manual"\n`

/** A section; nothing where it would be empty. */
const section = (title: string, content: string): string =>
  content === '' ? '' : `.SH ${title}\n${content}\n`

const item = (term: string, text: string): string => `.TP\n.B ${plain(term)}\n${plain(text)}`

const firstLower = (text: string): string => text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())

/** Text without a meaning for troff (groff_man_style(7)): hyphens can be searched for and copied. */
function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replace(/^(?=\.)/gm, '\\&')
    .replace(/\P{ASCII}/gu, (letter) => `\\[u${hexOf(letter)}]`)
}

/** `2026` of `…`: at least four digits, as groff_char(7) has it. */
const hexOf = (letter: string): string =>
  (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
