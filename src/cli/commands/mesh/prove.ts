import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { outOptions } from '../../io/result-file.js'
import { wholeNumber } from '../../options.js'
import { formatOption } from '../probe/probe-reports.js'
import { onlyOption } from './mesh-options.js'
import { fileOption } from './open-mesh.js'
import type { ProveCommandOptions } from './prove-command-options.js'

export function defineProve(command: Command, context: CliContext): void {
  command
    .description('show that declared edges are let in, and that every other caller is refused')
    .option(
      ...onlyOption(
        '--only <names...>',
        'prove only these: AGENT with all its edges, or PEER:AGENT',
        'mesh-parts',
      ),
    )
    .option('--isolation', 'also send a message to each agent, and ask for its task as another peer')
    .option(...wholeNumber('--concurrency <n>', 'how many probes are under way at a time', 1, 64), 8)
    .option('--strict', 'treat warnings as failures')
    .option('--cross', 'also send whole credentials of edges to other agents, which then know them')
    .option('--yes', 'send what --cross lists without asking')
    .option('--forget', 'drop the kept credentials of removed peers, and send them no more')
    .option('--ca <file>', 'trust the certificates in this PEM file')
    .option('--insecure-http', 'send credentials over plain http beyond loopback')
    .option(...wholeNumber('--timeout <seconds>', 'how long one request may take', 1, 300), 10)
    .option(...wholeNumber('--deadline <seconds>', 'how long the whole run may take', 1, 86_400))
    .option(...wholeNumber('--rate <n>', 'send each agent at most so many requests a second', 1, 1000))
    .option('--proxy <url>', 'reach https and gRPC over TLS through this proxy (default: $HTTPS_PROXY)')
    .option(...wholeNumber('--wait <seconds>', 'wait for agents that do not answer yet', 0, 3600))
    .option(...formatOption)
    .option('--keep <folder>', 'keep the report there, for `mesh status` (default: reports beside the file)')
    .option('--no-keep', 'keep no report')
  outOptions(fileOption(command))
    .addHelpText(
      'after',
      `
Each agent is probed in full as one of its peers, and every other edge with a few requests: nothing, the token alone, and
a code of another edge are refused, and right credentials are let in. A peer that was removed has to be refused with what
it had. No agent is sent the token of another agent's edge, but with --cross.
Without side effects but with --isolation. A full probe spends at most 4 wrong codes of its edge, the others one each.
Exit code 0 if all of it was shown, 1 if not, 4 if no agent answered.

Examples:
  $ a2a-totp mesh prove
  $ a2a-totp mesh prove --strict --format junit=mesh.xml --format html=mesh.html
  $ a2a-totp mesh prove --only billing ci:search
  $ a2a-totp mesh prove --wait 30 --deadline 300 --json`,
    )
    .action(async (options: ProveCommandOptions) => {
      const { runProve } = await import('./prove-run.js')
      await runProve(context, options)
    })
}
