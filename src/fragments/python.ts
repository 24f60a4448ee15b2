import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive, withoutCanaries } from './live.js'

/** A module for agents on a2a-sdk. */
export const serverPython: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'a module for an agent on the Python a2a-sdk; reads the server file',
  secret: false,
  warnings: (input) =>
    withoutCanaries(input, 'the Python module refuses their tokens, but does not report their use'),
  make: async () => (await import('./sources.js')).pythonServer,
}

/** A module for clients on a2a-sdk or httpx. */
export const clientPython: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a module for a client on the Python a2a-sdk or httpx; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    return (await import('./sources.js')).pythonClient
  },
}
