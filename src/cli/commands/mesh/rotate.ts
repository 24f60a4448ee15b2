import type { Command } from 'commander'
import type { CliContext } from '../../context.js'

export function defineRotate(command: Command, _context: CliContext): void {
  command.description('rotate')
}
