import type { Command } from 'commander'
import type { CliContext } from '../../context.js'
import { completed } from '../../completes.js'
import { secretOutOptions } from '../../io/result-file.js'
import type { MeshConfigOptions } from './mesh-options.js'
import { fileOption } from './open-mesh.js'

/** `mesh config`: prints what agents and peers need, for those to which nothing delivers. */
export function defineConfig(command: Command, context: CliContext): void {
  command.description('print the server file of an agent, or the client file of a peer')
  secretOutOptions(fileOption(command.command('server')))
    .description('print the server file of an agent')
    .argument(...completed('<agent>', 'its name in the mesh file', 'mesh-agents'))
    .option('--allow-weak-seed', 'print seeds of less than 128 bits, for an agent that allows them')
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp mesh config server billing --out server.json
  $ a2a-totp mesh config server billing | ssh billing.example 'umask 077; cat > server.json'`,
    )
    .action(async (agent: string, options: MeshConfigOptions) => {
      const { printServer } = await import('./config-run.js')
      await printServer(context, agent, options)
    })
  secretOutOptions(fileOption(command.command('client')))
    .description('print the client file of a peer, with all agents that it may call')
    .argument(...completed('<peer>', 'its name in the mesh file', 'mesh-peers'))
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp mesh config client alice --out alice.json
  $ a2a-totp mesh config client alice | ssh alice.example 'umask 077; cat > clients.json'`,
    )
    .action(async (peer: string, options: MeshConfigOptions) => {
      const { printClient } = await import('./config-run.js')
      await printClient(context, peer, options)
    })
}
