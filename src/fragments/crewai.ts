import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive } from './live.js'

/** The guard of an agent that hosts crewAI, by the Python package. */
export const serverCrewai: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the guard of an agent that hosts crewAI, with the Python package; reads the server file',
  secret: false,
  make: async ({ vendored }) => {
    const sources = await import('./sources.js')
    return vendored ? sources.vendoredSource('crewaiServer') : sources.crewaiServer
  },
}

/** A scheme for `A2AClientConfig(auth=…)`. */
export const clientCrewai: Fragment<ClientInput> = {
  kind: 'text',
  summary:
    'a scheme for crewAI’s A2AClientConfig(auth=…), with the Python package; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    const sources = await import('./sources.js')
    return input.vendored ? sources.vendoredSource('crewaiClient') : sources.crewaiClient
  },
}
