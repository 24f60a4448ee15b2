import { once } from 'node:events'
import type { Roster } from '../../core/roster.js'
import { inContext, type CliContext } from '../context.js'
import { everyBinding, type DemoBinding } from '../../demo/bindings.js'
import { pathFrom } from '../io/path.js'
import { someOf, wholeNumber } from '../options.js'

export const define = inContext((command, context) =>
  command
    .option(...wholeNumber('--port <port>', 'the port to listen on; 0 picks a free one', 0, 65_535), 0)
    .option(...someOf('--bindings <list>', 'what to serve and to name in the card', everyBinding))
    .option(
      '--server-file <file>',
      'what protects it instead of the store: the output of `config server`; followed',
    )
    .addHelpText(
      'after',
      `
Serves JSON-RPC, HTTP+JSON and gRPC, or those of --bindings, A2A 1.0 and 0.3, and accepts the peers that the store has
at the start, or those of --server-file, which is followed. gRPC has a port of its own, which is in the card. Prints the
card's URL once it is ready, then a line for each call on stderr. Stop it with Ctrl-C.

Examples:
  $ a2a-totp demo --port 4100
  $ a2a-totp demo --server-file server/billing.json --port 4101
  $ a2a-totp demo --bindings jsonrpc,rest      # for a client that fails on gRPC in a card
  $ a2a-totp demo --json | head -1 | jq -r .card`,
    )
    .action(async ({ port, bindings, serverFile }: DemoCommandOptions) => {
      const { output, signal, now } = context
      const protection =
        serverFile === undefined
          ? { roster: await rosterIn(context) }
          : { serverFile: pathFrom(context, serverFile) }
      const { startDemoAgent } = await import('../../demo/index.js')
      const agent = await startDemoAgent({
        ...protection,
        ...{ port, bindings, now, log: (line) => output.say(line) },
      })
      output.result(agent.cardUrl, { card: agent.cardUrl, interfaces: agent.interfaces })
      if (!signal.aborted) await once(signal, 'abort')
      await agent.close()
    }),
)

interface DemoCommandOptions {
  port: number
  bindings?: DemoBinding[]
  serverFile?: string
}

async function rosterIn({ store, output }: CliContext): Promise<Roster> {
  const roster = await store.read()
  if (roster.peers.size === 0)
    output.warn('the store has no peers, so the demo refuses every caller; add one first')
  return roster
}
