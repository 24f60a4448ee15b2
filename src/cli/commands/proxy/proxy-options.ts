import type { Command } from 'commander'
import { signModes, type SignMode } from '../../../client/scheme/request-signer.js'
import type { ListenAddress } from '../../../service/address.js'
import { localAuthKinds, type LocalAuthKind } from '../../../sidecar/proxy/local-auth.js'
import { proxyDefaults } from '../../../sidecar/proxy/options.js'
import { choice, repeatable, wholeNumber } from '../../options.js'
import { listenAddress } from '../sidecar-options.js'

/** What {@link proxyOptions} add. Without a default, so that `--config` can tell what was given. */
export interface ProxyOptions {
  listen?: ListenAddress
  socket?: string
  clientFile?: string
  localAuth?: LocalAuthKind
  localTokenFile?: string
  sign?: SignMode
  maxSignedBody?: number
  /** In seconds. */
  maxWait?: number
  maxQueue?: number
  allowHost?: string[]
  ca?: string
  cert?: string
  key?: string
  insecureHttp?: true
  cardSecurity?: 'remove' | 'keep'
  config?: string
}

/** The largest content that may be held for each call, in bytes. */
export const largestSignedBody = 64 * 1024 * 1024

/** Adds the options of a proxy but for those about running a sidecar. */
export const proxyOptions = (command: Command): Command =>
  command
    .option(
      ...listenAddress('--listen <host:port>', 'where clients reach it (default: 127.0.0.1, a free port)'),
    )
    .option('--socket <path>', 'a unix socket for the clients of this user, instead of --listen')
    .option(
      '--client-file <file>',
      'the credentials: what `config client NAME --format json` or `mesh apply` writes; followed',
    )
    .option(
      ...choice(
        '--local-auth <kind>',
        'what clients of this machine have to show (default: none)',
        localAuthKinds,
      ),
    )
    .option('--local-token-file <file>', 'the token for that, which never leaves this machine')
    .option(
      ...choice('--sign <mode>', 'which requests are signed (default: auto, those that can be)', signModes),
    )
    .option(
      ...wholeNumber(
        '--max-signed-body <bytes>',
        `the largest content that is held to be signed (default: ${proxyDefaults.maxSignedBody})`,
        0,
        largestSignedBody,
      ),
    )
    .option(
      ...wholeNumber(
        '--max-wait <seconds>',
        `how long a request may wait for a step of its own under once (default: ${proxyDefaults.maxWaitMs / 1000})`,
        0,
        86_400,
      ),
    )
    .option(
      ...wholeNumber(
        '--max-queue <n>',
        `how many may wait at a time (default: ${proxyDefaults.maxQueue})`,
        0,
        100_000,
      ),
    )
    .option(
      ...repeatable(
        '--allow-host <host>',
        'another HOST[:PORT] that the card may send requests to; may be repeated',
      ),
    )
    .option('--ca <file>', 'authorities in PEM to check the agent by, instead of those of Node')
    .option('--cert <file>', 'client certificate in PEM, if the agent demands one')
    .option('--key <file>', 'its key')
    .option('--insecure-http', 'allow an http URL beyond this machine: token and code can be read on the way')
    .option(
      ...choice(
        '--card-security <mode>',
        'whether the card still demands what is added here (default: remove)',
        ['remove', 'keep'],
      ),
    )
    .option('--config <file>', 'several agents, a listener each: YAML or JSON; see below')
