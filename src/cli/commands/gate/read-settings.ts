import { createSecureContext } from 'node:tls'
import { TOTPError } from '../../../core/errors.js'
import { cardPath } from '../../../core/card/shapes.js'
import { Asserter } from '../../../sidecar/gate/assertion.js'
import type { GateOptions as GateSettings } from '../../../sidecar/gate/index.js'
import { isIdentityHeader } from '../../../sidecar/gate/identity-header.js'
import type { CardMode } from '../../../sidecar/gate/served-card.js'
import { TrustedProxies } from '../../../sidecar/gate/trusted-proxies.js'
import { isLocal, parseUpstream } from '../../../sidecar/gate/upstream-address.js'
import type { CliContext } from '../../context.js'
import { isReadOnce, readGivenFile, readGivenText } from '../../io/given-file.js'
import { pathFrom } from '../../io/path.js'
import type { ReadAuthz } from './authz-options.js'
import { defaultGateAddress, type GateOptions } from './gate-options.js'

type Settings = Omit<GateSettings, 'observe' | 'warn' | 'state'>

/** In bytes, of a caller. */
const longestHead = 16 * 1024
/** Of a front, which has let the caller's head in: 32 KiB at nginx, 60 KiB at Envoy. */
const longestSubRequest = 64 * 1024

/**
 * Reads the options of a gate, and refuses what could not be safe.
 *
 * @throws {TOTPError} `ERR_USAGE` for options that contradict each other; what reading files throws
 */
export function readSettings(
  context: CliContext,
  given: GateOptions,
  authz: ReadAuthz | undefined,
): Settings {
  refuseNeedless(given, authz)
  if (!isIdentityHeader(given.identityHeader)) {
    throw new TOTPError(
      'ERR_USAGE',
      '--identity-header must be letters and digits alone, and no field that means something else: a field with a separator has aliases that clients can set',
    )
  }
  const trusted = new TrustedProxies(given.trustProxy ?? [])
  const asserter = given.assertKey === undefined ? undefined : asserterOf(context, given.assertKey)
  return {
    source: sourceOf(context, given),
    proxy: given.upstream === undefined ? undefined : readProxy(context, given, given.upstream),
    authz: authz && {
      ...authz,
      listening: {
        maxHeaderBytes: given.maxHeader ?? longestSubRequest,
        headerTimeoutMs: given.headerTimeout * 1000,
      },
    },
    identityHeader: given.identityHeader,
    asserter,
    audience: given.assertAudience,
    trusted,
    now: context.now,
  }
}

function asserterOf(context: CliContext, file: string): Asserter {
  const read = (): string => readGivenText(context, 'the file given to --assert-key', file)
  return Asserter.read(isReadOnce(context, file) ? read() : read)
}

function refuseNeedless(given: GateOptions, authz: ReadAuthz | undefined): void {
  const { upstream, grpcUpstream, publicUrl, tlsCert, tlsKey, cardPath, publicPath } = given
  if (upstream === undefined && !authz) {
    throw new TOTPError(
      'ERR_USAGE',
      'a gate needs --upstream, the agent that it stands in front of, or --authz, where another proxy asks it',
    )
  }
  if (given.assertAudience !== undefined && given.assertKey === undefined)
    throw new TOTPError('ERR_USAGE', '--assert-audience means nothing without --assert-key; add it')
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new TOTPError('ERR_USAGE', '--tls-cert and --tls-key belong together; add the other one')
  if (upstream !== undefined) return
  const needless = Object.entries({
    '--grpc-upstream': grpcUpstream,
    '--public-url': publicUrl,
    '--tls-cert': tlsCert,
    '--card-path': cardPath,
    '--public-path': publicPath,
  }).find(([, value]) => value !== undefined)
  if (needless) throw new TOTPError('ERR_USAGE', `${needless[0]} means nothing without --upstream; add it`)
}

/** The server file that is named, else the store. */
function sourceOf(context: CliContext, { serverFile }: GateOptions): Settings['source'] {
  const named = serverFile ?? context.env['A2A_TOTP_SERVER_FILE']
  if (named !== undefined && named !== '') return { serverFile: pathFrom(context, named) }
  const { store } = context
  return { path: store.path(), read: () => store.read() }
}

function readProxy(context: CliContext, given: GateOptions, url: string): NonNullable<Settings['proxy']> {
  const upstream = parseUpstream('--upstream', url)
  const grpcUpstream =
    given.grpcUpstream === undefined ? undefined : parseUpstream('--grpc-upstream', given.grpcUpstream)
  for (const [option, one] of [
    ['--upstream', upstream],
    ['--grpc-upstream', grpcUpstream],
  ] as const) {
    if (one && !isLocal(one) && given.assertKey === undefined) {
      throw new TOTPError(
        'ERR_USAGE',
        `${option} leads beyond this machine, where anyone on the way could forge the identity; put the gate beside the agent, or sign the identity with --assert-key`,
      )
    }
  }
  return {
    listen: given.listen ?? defaultGateAddress,
    upstream,
    grpcUpstream,
    publicUrl: given.publicUrl,
    card: cardModeOf(context, given.card),
    cardPath: given.cardPath === undefined ? undefined : rawPath('--card-path', given.cardPath),
    publicPaths: (given.publicPath ?? []).map((path) => rawPath('--public-path', path)),
    tls: tlsOf(context, given),
    maxHeaderBytes: given.maxHeader ?? longestHead,
    headerTimeoutMs: given.headerTimeout * 1000,
    upstreamTimeoutMs: given.upstreamTimeout * 1000,
  }
}

function cardModeOf(context: CliContext, mode: string): CardMode {
  if (mode === 'patch' || mode === 'pass') return mode
  if (mode === '') throw new TOTPError('ERR_USAGE', '--card must be patch, pass or a file')
  return { file: pathFrom(context, mode) }
}

/** A path that is compared as it is written. */
function rawPath(option: string, path: string): string {
  if (/^\/[!-~]*$/.test(path) && !/[?#]/.test(path)) return path
  throw new TOTPError(
    'ERR_USAGE',
    `${option} must be a path as requests have it, such as ${cardPath}: with a slash in front, encoded, without ? and #`,
  )
}

function tlsOf(
  context: CliContext,
  { tlsCert, tlsKey }: GateOptions,
): (() => { cert: Buffer; key: Buffer }) | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined
  return () => {
    const cert = readGivenFile(context, 'the file given to --tls-cert', tlsCert)
    const key = readGivenFile(context, 'the file given to --tls-key', tlsKey)
    try {
      createSecureContext({ cert, key })
    } catch {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        '--tls-cert and --tls-key cannot be used; they must be a certificate chain and its key, in PEM',
      )
    }
    return { cert, key }
  }
}
