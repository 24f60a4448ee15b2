import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { fileOption } from './open-mesh.js'
import type { PlanOptions } from './plan-run.js'

/** `mesh plan`: what `mesh apply` would do. */
export function definePlan(command: Command, context: CliContext): void {
  fileOption(command.description('show what mesh apply would do, and change nothing'))
    .option('--check', 'exit with 1 if anything would change')
    .addHelpText(
      'after',
      `
Compares the file with the stores of its agents and with what was delivered last. Prints no secrets and runs no command. By agent:
  +  is created: a store, a peer, a canary      ~  is changed
  r  gets new credentials                       -  is removed; with --prune only
  >  its server file or client file is delivered

What needs --prune or --yes says so. --check is for CI: it also fails while there is something to prune.

Examples:
  $ a2a-totp mesh plan
  $ a2a-totp mesh plan --check --file ops/mesh.yaml
  $ a2a-totp mesh plan --json | jq -r '.changes[] | select(.action == "remove") | .peer'`,
    )
    .action(async (options: PlanOptions) => {
      const { runPlan } = await import('./plan-run.js')
      await runPlan(context, options)
    })
}
