import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { requireLive, withoutCanaries } from './live.js'

/** The Python module, followed by a scheme in crewAI's form. */
export const serverCrewai: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the Python module with a crewAI ServerAuthScheme, for crewAI hosts',
  secret: false,
  warnings: (input) =>
    withoutCanaries(input, 'the Python module refuses their tokens, but does not report their use'),
  make: async () => (await import('./sources.js')).crewaiServer,
}

/** A scheme for `A2AClientConfig(auth=…)`. */
export const clientCrewai: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a scheme for crewAI’s A2AClientConfig(auth=…); reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    return (await import('./sources.js')).crewaiClient
  },
}
