import { inContext } from '../../context.js'
import { operationOptions, requireAdminAllowed, type OperationOptions } from '../sidecar-options.js'
import { proxyOptions, type ProxyOptions } from './proxy-options.js'

export const define = inContext((command, context) =>
  operationOptions(
    proxyOptions(
      command
        .argument('[url]', 'the agent: its base URL, or the exact URL of its card')
        .argument('[name]', 'the peer; in a client file the agent (default: all of them)'),
    ),
  )
    .addHelpText(
      'after',
      `
For a client that can only set a URL. It takes JSON-RPC, HTTP+JSON and gRPC, HTTP/1.1 and HTTP/2 without TLS, on one port,
and adds token, code and proof to each request, afresh. The agent's card leads back here. Web pages cannot use it.

One argument alone is the URL if it has ://, else NAME; the URL is then that of the store, or of the client file. Without
NAME: $A2A_TOTP_TOKEN and $A2A_TOTP_SEED, else the store's only peer. Changes of the store and of a client file are in
force within a second; a broken one leaves the last good one in force.

Anybody on this machine can call as the peer, unless --local-auth is header (Authorization: Bearer TOKEN) or url (the
first path segment: http://127.0.0.1:PORT/TOKEN/), or clients use --socket, which is for this user alone.

After the agent has refused the codes of three time steps, nothing more is sent, and each request is answered with 503
until the credentials change, for an hour, or until SIGHUP. SIGTERM ends it once running calls have ended, or --drain has
passed.

A client file with several agents, and no NAME: a listener for each, in the order of the file at the port of --listen and those
after it, else at free ports. One that joins the file gets a listener too, at the end; one that leaves it is answered with 503.

--config FILE has agents by name, each with url, peer (of the store) or clientFile, listen or socket, and the options
above in camel case; paths are relative to it:
  agents:
    billing: { url: https://billing.example, clientFile: alice.json, listen: 127.0.0.1:4201 }
    stock: { peer: alice, store: stock.json, listen: 127.0.0.1:4202, localAuth: url, localTokenFile: token }

Examples:
  $ a2a-totp proxy https://billing.example alice --listen 127.0.0.1:4200
  $ a2a-totp proxy --client-file alice.json --listen 127.0.0.1:4200 --admin 127.0.0.1:9465
  $ a2a-totp proxy stock --client-file alice.json --socket stock.sock
  $ a2a-totp proxy https://billing.example alice --local-auth url --local-token-file token --json
  $ a2a-totp proxy --config proxy.yaml`,
    )
    .action(
      async (url: string | undefined, name: string | undefined, given: ProxyOptions & OperationOptions) => {
        requireAdminAllowed(given)
        const { runProxy } = await import('./run-proxy.js')
        await runProxy(context, { url, name }, given)
      },
    ),
)
