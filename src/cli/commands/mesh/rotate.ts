import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { duration } from '../../options.js'
import { deliverOptions, onlyOption, type MeshRotateOptions } from './mesh-options.js'
import { fileOption } from './open-mesh.js'

/** `mesh rotate`: new credentials for edges, delivered to both ends. */
export function defineRotate(command: Command, context: CliContext): void {
  deliverOptions(
    fileOption(command.description('give edges new seeds and tokens, and deliver them to both ends'))
      .option(...onlyOption('--only <edges...>', 'these edges alone, each as PEER:AGENT', 'mesh-edges'))
      .option(...duration('--older-than <time>', 'only what is older, for example 90d'))
      .option('--seed', 'only the seed')
      .option('--token', 'only the token')
      .option(
        ...duration(
          '--overlap <time>',
          'how long the old ones stay valid (default: what the file says, else 24h)',
        ),
      )
      .option('--now', 'end the old ones immediately'),
  )
    .addHelpText(
      'after',
      `
Without --only, every edge of the file. New credentials are staged beside the old ones; the agent gets its server file; the
peer its client file; then the old ones end with the overlap, and the agent gets its server file again. Where a delivery fails
the old ones stay, the exit code is 1, and mesh apply goes on from there. With --now the old ones end first, whatever the
peer's delivery does. Edges with a "rotateAfter" in the file are rotated by mesh apply.

Examples:
  $ a2a-totp mesh rotate --older-than 90d --dry-run
  $ a2a-totp mesh rotate --only alice:billing bob:billing --prove
  $ a2a-totp mesh rotate --only mallory:billing --token --now --yes      # its token is in a log`,
    )
    .action(async (options: MeshRotateOptions) => {
      const { runRotate } = await import('./rotate-run.js')
      await runRotate(context, options)
    })
}
