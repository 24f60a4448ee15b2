/** An agent's side, on Express and @a2a-js/sdk. */
export const agentSource = `\
// The second factor in front of an A2A agent: bearer token AND TOTP code on every request.
// Made by \`a2a-totp config server --format typescript\`. Nothing in here is secret; the server file is, which
// \`a2a-totp config server --format json --out FILE\` writes and $A2A_TOTP_SERVER_FILE names. Changes of it are
// followed.
// Needs: a2a-totp, @a2a-js/sdk 1.3, express.
import type { A2ARequestHandler } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { TOTPServerAuthScheme } from 'a2a-totp/server'
import { TOTPCallContextBuilder } from 'a2a-totp/server/a2a'
import { totpGuard } from 'a2a-totp/server/express'
import type { Express } from 'express'

/**
 * Mounts the card, JSON-RPC and REST. Mount no body parser in front. The executor finds the peer's name in
 * \`context.user.userName\`; make the card with \`totpAgentCard\`, so that it demands both factors.
 */
export function mountProtected(app: Express, requestHandler: A2ARequestHandler): void {
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder()
  const options = { requestHandler, userBuilder, contextBuilder }
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }))
  app.use('/a2a', totpGuard(TOTPServerAuthScheme.fromFile()))
  app.use('/a2a/jsonrpc', jsonRpcHandler(options))
  app.use('/a2a/rest', restHandler(options))
}
`

/** A peer's side, on @a2a-js/sdk. */
export const clientSource = `\
// Calls an A2A agent with its bearer token and a fresh TOTP code in every request.
// Made by \`a2a-totp config client NAME --format typescript\`. Nothing in here is secret: token and seed come from
// the environment, as \`a2a-totp config client NAME --format env\` prints them.
// Needs: a2a-totp, @a2a-js/sdk 1.3.
import { ClientFactory, type Client } from '@a2a-js/sdk/client'
import { BearerTokenAuth, TOTPClientAuthScheme } from 'a2a-totp/client'
import { totpTransports } from 'a2a-totp/client/a2a'

/**
 * A client for JSON-RPC and REST, and for gRPC where @grpc/grpc-js is installed.
 *
 * @param url the agent's origin, where its card is; token and code go to no other host
 */
export function createClient(url: string): Promise<Client> {
  const scheme = new TOTPClientAuthScheme({ delegate: new BearerTokenAuth() })
  return new ClientFactory(totpTransports(scheme)).createFromUrl(url)
}
`
