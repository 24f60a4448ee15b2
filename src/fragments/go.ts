import type { ClientInput, Fragment } from './fragment.js'
import { requireLive } from './live.js'

/** Code for a client. */
export const clientGo: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a Go file with an http.RoundTripper that signs; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    return (await import('./sources.js')).goClient
  },
}
