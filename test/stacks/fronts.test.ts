import { frontCases, type FrontOptions } from '../support/fronts/cases.js'
import { frontTokenCases } from '../support/fronts/token-cases.js'
import { describeWithProxy } from '../support/proxies.js'
import { describeStack } from '../support/stacks.js'

/** The built command, and time enough for a gate that is silent. */
const whole: FrontOptions = { gate: 'command', slow: true }

// In test/interop too, so that every run of CI has them; here for the table.
describeWithProxy('nginx', 'fronts', () => frontCases('nginx', whole))
describeWithProxy('haproxy', 'fronts', () => frontCases('haproxy', whole))

describeStack('fronts', () => {
  frontCases('caddy', whole)
  frontCases('traefik', whole)
  frontCases('envoy', { ...whole, name: 'envoy (HTTP)' })
  frontCases('envoy', { ...whole, name: 'envoy (gRPC)', envoyGrpc: true })
  frontTokenCases('caddy')
  frontTokenCases('traefik')
  frontTokenCases('envoy', { name: 'envoy (HTTP)' })
  frontTokenCases('envoy', { name: 'envoy (gRPC)', envoyGrpc: true })
})
