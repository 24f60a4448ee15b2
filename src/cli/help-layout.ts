import type { Command, Help, HelpConfiguration } from 'commander'
import { namesOf } from './commands-of.js'

/** Below this width the description of a command or an option is under its name. */
const narrow = 64

/** Below this width nothing is wrapped: the terminal does no worse. */
const leastWidth = 16

/** How help looks. It shows every short name of a command. */
export const helpLayout: HelpConfiguration = {
  subcommandTerm: (command: Command) => {
    const operands = command.registeredArguments.map((one) => {
      const name = one.name() + (one.variadic ? '...' : '')
      return one.required ? `<${name}>` : `[${name}]`
    })
    return [namesOf(command).join('|'), ...operands].join(' ')
  },
  commandUsage: (command: Command) => {
    const above = []
    for (let { parent } = command; parent; { parent } = parent) above.unshift(parent.name())
    return [...above, namesOf(command).join('|'), command.usage()].join(' ')
  },
  formatItem(this: Help, term: string, termWidth: number, description: string) {
    const width = this.helpWidth ?? 80
    if (description === '') return `  ${term}`
    if (width < narrow) return `  ${term}\n${fitted(`      ${description}`, width)}`
    const start = `  ${term.padEnd(termWidth)}  `
    const text = fitted(start.replace(/./g, ' ') + description, width)
    return start + text.slice(start.length)
  },
}

/**
 * Breaks lines that are longer than a terminal is wide, between words; what follows is indented as the line is. Lines
 * of code, which begin with `$` or `#`, are left to the terminal, so that they can still be copied.
 */
export function fitted(text: string, width: number | undefined): string {
  if (width === undefined || width < leastWidth) return text
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width || /^\s*[$#] /.test(line) ? line : brokenLines(line, width)))
    .join('\n')
}

function brokenLines(line: string, width: number): string[] {
  const [, indent = '', first = '', rest = ''] = /^(\s*)(\S*)(.*)$/s.exec(line) ?? []
  // What a list explains stays in its column.
  const [gap = ''] = /^(?:\s*\d+\.)? {2,}|^\s*\d+\. +/.exec(rest) ?? []
  const column = indent.length + first.length + gap.length
  const hang = gap.length > 1 && column < width / 2 ? ' '.repeat(column) : indent
  const lines: string[] = []
  let current = indent + first + gap
  let empty = gap !== ''
  for (const word of rest.trim().split(/\s+/).filter(Boolean)) {
    const next = empty ? current + word : `${current} ${word}`
    if (next.length > width && current.trim() !== '') {
      lines.push(current.trimEnd())
      current = hang + word
    } else current = next
    empty = false
  }
  return [...lines, current]
}
