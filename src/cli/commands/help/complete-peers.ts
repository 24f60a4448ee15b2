import { inContext } from '../../context.js'

/** Called by completion scripts of earlier versions: prints the peers' names, one per line; nothing if they cannot be read. */
export const define = inContext((command, { store, output }) =>
  command.action(async () => {
    const names = await store.read().then(
      ({ peers, canaries }) => [...peers.keys(), ...(canaries?.keys() ?? [])],
      () => [],
    )
    output.result(names.join('\n'), { names })
  }),
)
