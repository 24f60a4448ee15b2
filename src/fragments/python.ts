import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive } from './live.js'

/** The guard of an agent, by the Python package. */
export const serverPython: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the guard of an agent, with the Python package; reads the server file',
  secret: false,
  make: async ({ vendored }) => {
    const sources = await import('./sources.js')
    return vendored ? sources.vendoredSource('pythonServer') : sources.pythonServer
  },
}

/** A client on httpx or a2a-sdk, by the Python package. */
export const clientPython: Fragment<ClientInput> = {
  kind: 'text',
  summary:
    'a client on httpx or the Python a2a-sdk, with the Python package; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    const sources = await import('./sources.js')
    return input.vendored ? sources.vendoredSource('pythonClient') : sources.pythonClient
  },
}
