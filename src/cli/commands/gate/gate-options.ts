import type { Command } from 'commander'
import { TOTPError } from '../../../core/errors.js'
import { parseHttpUrl } from '../../../core/url.js'
import { shownAddress, type ListenAddress } from '../../../service/address.js'
import { defaultIdentityHeader } from '../../../sidecar/gate/identity-header.js'
import { repeatable, wholeNumber } from '../../options.js'
import { listenAddress } from '../sidecar-options.js'

/** What {@link gateOptions} add. */
export interface GateOptions {
  upstream?: string
  grpcUpstream?: string
  listen?: ListenAddress
  publicUrl?: URL
  serverFile?: string
  redis?: string
  tlsCert?: string
  tlsKey?: string
  trustProxy?: string[]
  identityHeader: string
  assertKey?: string
  assertAudience?: string
  card: string
  cardPath?: string
  publicPath?: string[]
  /** In bytes; by default as many as suit the listener. */
  maxHeader?: number
  /** In seconds. */
  headerTimeout: number
  /** In seconds; 0 for no limit. */
  upstreamTimeout: number
}

/** Where a gate listens unless it is told otherwise. */
export const defaultGateAddress: ListenAddress = { host: '127.0.0.1', port: 8080 }

/** Adds the options of a gate but for those about forward authentication and about running a sidecar. */
export const gateOptions = (command: Command): Command =>
  command
    .option(
      '--upstream <url>',
      'the agent: http://127.0.0.1:9999 or unix:/run/agent.sock; beyond this machine it needs --assert-key',
    )
    .option('--grpc-upstream <url>', 'where the agent serves gRPC, in the same forms')
    .option(
      ...listenAddress(
        '--listen <host:port>',
        `where callers reach the agent (default: ${shownAddress(defaultGateAddress)})`,
      ),
    )
    .option('--public-url <url>', 'how callers reach the gate, for the card', httpUrl('--public-url'))
    .option(
      '--server-file <file>',
      'the peers, followed (default: $A2A_TOTP_SERVER_FILE, else the store, which is followed too)',
    )
    .option(
      '--redis <url>',
      'share used codes and limits with other gates, and keep them; its password in $A2A_TOTP_REDIS_PASSWORD',
    )
    .option('--tls-cert <file>', 'speak TLS, with this certificate chain in PEM; read anew on SIGHUP')
    .option('--tls-key <file>', 'its key')
    .option(
      ...repeatable(
        '--trust-proxy <cidr>',
        'believe X-Forwarded-For of these addresses, such as 10.0.0.0/8; may be repeated',
      ),
    )
    .option('--identity-header <name>', 'the field that tells the agent who called', defaultIdentityHeader)
    .option(
      '--assert-key <file>',
      'sign who called, as TotpAssertion: PKCS#8 in PEM or a JWK, of Ed25519 or P-256',
    )
    .option('--assert-audience <name>', 'whom that is for (default: the origin of the upstream)')
    .option('--card <mode>', "the agent's card: patch it, pass it as it is, or serve a file", 'patch')
    .option('--card-path <path>', 'where the agent has its card (default: /.well-known/agent-card.json)')
    .option(
      ...repeatable(
        '--public-path <path>',
        'let anyone read exactly this path, GET and HEAD; may be repeated',
      ),
    )
    .option(
      ...wholeNumber(
        '--max-header <bytes>',
        'the longest head of a request (default: 16384; with --authz 65536, more than fronts take)',
        1024,
        1024 * 1024,
      ),
    )
    .option(
      ...wholeNumber('--header-timeout <seconds>', 'in which the head of a request is complete', 1, 3600),
      10,
    )
    .option(
      ...wholeNumber(
        '--upstream-timeout <seconds>',
        'in which the agent begins to answer; 0: no limit. What it streams then has none',
        0,
        86_400,
      ),
      300,
    )

const httpUrl =
  (option: string) =>
  (text: string): URL => {
    const url = parseHttpUrl(text)
    if (url && !url.username && !url.password && !/[?#]/.test(text)) return url
    throw new TOTPError('ERR_USAGE', `${option} must be an http or https URL without user name, ? and #`)
  }
