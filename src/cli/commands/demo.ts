import { once } from 'node:events'
import { inContext } from '../context.js'
import { wholeNumber } from '../options.js'

export const define = inContext((command, context) =>
  command
    .option(...wholeNumber('--port <port>', 'the port to listen on; 0 picks a free one', 0, 65_535), 0)
    .addHelpText(
      'after',
      `
Serves JSON-RPC, HTTP+JSON and gRPC, A2A 1.0 and 0.3, and accepts the peers that the store has at the start. gRPC has
a port of its own, which is in the card. Prints the card's URL once it is ready, then a line for each call on stderr.
Stop it with Ctrl-C.

Examples:
  $ a2a-totp demo --port 4100
  $ a2a-totp demo --json | head -1 | jq -r .card`,
    )
    .action(async ({ port }: { port: number }) => {
      const { store, output, signal, now } = context
      const roster = await store.read()
      if (roster.peers.size === 0)
        output.warn('the store has no peers, so the demo refuses every caller; add one first')
      const { startDemoAgent } = await import('../../demo/index.js')
      const agent = await startDemoAgent({ roster, port, now, log: (line) => output.say(line) })
      output.result(agent.cardUrl, { card: agent.cardUrl, interfaces: agent.interfaces })
      if (!signal.aborted) await once(signal, 'abort')
      await agent.close()
    }),
)
