import { inContext } from '../../context.js'
import { operationOptions, requireAdminAllowed, type OperationOptions } from '../sidecar-options.js'
import { authzOptions, type AuthzOptions } from './authz-options.js'
import { gateOptions, type GateOptions } from './gate-options.js'

type Given = GateOptions & AuthzOptions & OperationOptions

export const define = inContext((command, context) =>
  operationOptions(authzOptions(gateOptions(command)))
    .addHelpText(
      'after',
      `
Demands bearer token and code (or proof) of every caller of an agent that knows nothing of them: as a reverse proxy with
--upstream, or by answering the nginx, Caddy, Traefik, HAProxy or Envoy in front of the agent with --authz, or both.
Only the agent card, and what --public-path names, is open to anyone. The agent gets no credentials; it gets the name of
the caller in TotpPeer, which callers cannot set.

Peers come from the server file, or from the store; changes are in force within a second. SIGHUP reads them and every
other file anew: certificate, card, token of the front, key of assertions. SIGTERM ends it once running calls have ended,
or --drain has passed.

Examples:
  $ a2a-totp gate --upstream http://127.0.0.1:9999 --listen 127.0.0.1:8080
  $ a2a-totp gate --upstream unix:/run/agent.sock --server-file /run/secrets/billing.json --public-url https://billing.example
  $ a2a-totp gate --authz 127.0.0.1:8181 --admin 127.0.0.1:9464      # with \`config server --format nginx\``,
    )
    .action(async (given: Given) => {
      requireAdminAllowed(given)
      const { runGate } = await import('./run-gate.js')
      await runGate(context, given)
    }),
)
