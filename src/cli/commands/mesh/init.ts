import type { Command } from 'commander'
import { completed } from '../../completes.js'
import type { CliContext } from '../../context.js'
import type { MeshInitOptions } from './init-mesh.js'

export function defineInit(command: Command, context: CliContext): void {
  command
    .description('write mesh.yaml from stores that exist, or an example to begin with')
    .argument(...completed('[store...]', 'the stores, one for each agent', 'files'))
    .option('--out <file>', 'the file to write (default: mesh.yaml in the working directory)')
    .option('--file <path>', 'the same as --out')
    .option('--force', 'replace an existing file')
    .addHelpText(
      'after',
      `
Prints the path of the file. It says what the stores hold: agents, peers, who calls whom, and the policies. The stores
stay as they are, and \`mesh plan\` has nothing to do. It holds no secret. Without STORE the file is an example with one
agent and one peer, and comments on what else can be said.

Examples:
  $ a2a-totp mesh init                         # an example
  $ a2a-totp mesh init billing/a2a-totp.json mail/a2a-totp.json
  $ a2a-totp mesh init stores/*.json --out ops/mesh.yaml`,
    )
    .action(async (stores: string[], options: MeshInitOptions) => {
      const { initMesh } = await import('./init-mesh.js')
      await initMesh(context, stores, options)
    })
}
