import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive } from './live.js'

/** Code for an Express agent. */
export const serverTypescript: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the guard of an Express agent on @a2a-js/sdk; reads the server file',
  secret: false,
  make: async () => (await import('./sources.js')).agentSource,
}

/** Code for a client. */
export const clientTypescript: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a client on @a2a-js/sdk; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    return (await import('./sources.js')).clientSource
  },
}
