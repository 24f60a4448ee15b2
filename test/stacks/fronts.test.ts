import { frontCases } from '../support/fronts/cases.js'
import { describeWithProxy } from '../support/proxies.js'
import { describeStack } from '../support/stacks.js'

// In test/interop too, so that every run of CI has them; here for the table.
describeWithProxy('nginx', 'fronts', () => frontCases('nginx'))
describeWithProxy('haproxy', 'fronts', () => frontCases('haproxy'))

describeStack('fronts', () => {
  frontCases('caddy')
  frontCases('traefik')
  frontCases('envoy', { name: 'envoy (HTTP)' })
  frontCases('envoy', { name: 'envoy (gRPC)', envoyGrpc: true })
})
