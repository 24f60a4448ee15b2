import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive } from './live.js'

/** An Express agent's lines. */
export const serverTypescript: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the guard of an Express agent on @a2a-js/sdk; reads the server file',
  secret: false,
  make: async () => (await import('./sources.js')).agentSource,
}

/** A client's lines. */
export const clientTypescript: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a client on @a2a-js/sdk; reads the variables of env',
  secret: false,
  make: async (input) => {
    requireLive(input)
    return (await import('./sources.js')).clientSource
  },
}
