import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { outOptions } from '../../io/result-file.js'
import { choice } from '../../options.js'
import { fileOption } from './open-mesh.js'
import { showFormatNames, type ShowOptions } from './show-options.js'

/** `mesh show`: the mesh as a table or a picture. */
export function defineShow(command: Command, context: CliContext): void {
  outOptions(
    fileOption(command.description('show who may call whom: a table, JSON, or a picture'))
      .option(...choice('--format <format>', 'how to show it', showFormatNames))
      .option('--no-stores', 'open no store: show what the file says, and nothing else'),
  )
    .addHelpText(
      'after',
      `
Shows the file, and of each store that can be opened without asking: which edges are there, how old their credentials are,
when they end, what is due, and which peers it lets in that the file does not name. Prints no secrets. Without --format it
is a table, or what the name of --out ends in: .svg, .html, .json, .mmd, .txt.

In the table each cell is an edge: a letter for its replay policy, one for its proofs, and a sign for its state.

Examples:
  $ a2a-totp mesh show
  $ a2a-totp mesh show --out mesh.svg
  $ a2a-totp mesh show --format mermaid --no-stores
  $ a2a-totp mesh show --json | jq -r '.edges[] | select(.state == "expired") | .peer'`,
    )
    .action(async (options: ShowOptions) => {
      const { runShow } = await import('./run-show.js')
      await runShow(context, options)
    })
}
