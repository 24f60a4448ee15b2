import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { outOptions } from '../../io/result-file.js'
import { choice, duration } from '../../options.js'
import { fileOption } from './open-mesh.js'
import type { StatusCommandOptions } from './status-run.js'

export function defineStatus(command: Command, context: CliContext): void {
  fileOption(command)
    .description('show the results of `mesh prove` over time, and what is about to expire, as one page')
    .option(
      '--reports <folder>',
      'where `mesh prove` keeps its reports (default: reports, beside the mesh file)',
    )
    .option(...choice('--format <format>', 'how to show it', ['html', 'json', 'table']))
    .option(...duration('--within <time>', 'how far ahead to look for what is due (default: 14d)'))
  outOptions(command)
    .addHelpText(
      'after',
      `
The page has the latest matrix, the runs before, what changed since the run before, what expires or is due for rotation,
removed edges that are still to be seen refused, and what was delivered last. It sends nothing.

Without --format it is the page; on a terminal a table; with --json, or an --out that ends in .json, JSON.

Examples:
  $ a2a-totp mesh status --out status.html --force
  $ a2a-totp mesh status --format table --within 30d
  $ a2a-totp mesh status --reports /var/lib/mesh/reports --json`,
    )
    .action(async (options: StatusCommandOptions) => {
      const { runStatus } = await import('./status-run.js')
      await runStatus(context, options)
    })
}
