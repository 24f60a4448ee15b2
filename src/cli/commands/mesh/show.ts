import type { Command } from 'commander'
import type { CliContext } from '../../context.js'

export function defineShow(command: Command, _context: CliContext): void {
  command.description('show')
}
