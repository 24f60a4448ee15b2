import type { ClientInput, Fragment } from './fragment.js'
import { refuseRequired, requireLive } from './live.js'

/** Code for a client. */
export const clientGo: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a Go file with an http.RoundTripper; reads the variables of the env format',
  secret: false,
  make: async (input) => {
    requireLive(input)
    refuseRequired(input, 'the Go file')
    return (await import('./sources.js')).goClient
  },
}
