import { TOTPError } from '../../../core/errors.js'
import { requireJson } from '../../../core/json.js'
import { replayOf, signedOf } from '../../../core/roster.js'
import { peerNamed } from '../../../core/provision.js'
import type { ProbeOptions } from '../../../probe/index.js'
import type { CliContext } from '../../context.js'
import { readGivenFile, readGivenText } from '../../io/given-file.js'
import { requireHttpUrl } from '../../options.js'
import {
  credentialsOf,
  environmentSource,
  findOtherPeer,
  signedIn,
  storeSource,
} from './probe-credentials.js'
import type { ReportTarget } from './probe-reports.js'
import type { OutOptions } from '../../io/result-file.js'
import type { ListenAddress } from '../../../service/address.js'

/** What `probe` is told on the command line. */
export interface ProbeCommandOptions extends OutOptions {
  tokenEnv?: string
  seedEnv?: string
  binding: ProbeOptions['binding']
  protocol: ProbeOptions['protocol']
  otherPeer?: string
  only?: string[]
  skip?: string[]
  strict?: true
  send?: string
  isolation?: true
  allowHost?: string[]
  insecureHttp?: true
  ca?: string
  ignore?: string
  cardJwks?: string
  wait?: number
  cert?: string
  key?: string
  proxy?: string
  timeout: number
  rate?: number
  deadline?: number
  throttle?: true
  windowScan?: true
  format?: readonly ReportTarget[]
  sarifLocation?: string
  explain?: string
  watch?: number
  metrics?: ListenAddress
}

/** What the probe is to do, and with whose credentials: a peer's of the store, else the environment's. */
export async function optionsFor(
  context: CliContext,
  url: string,
  name: string | undefined,
  options: ProbeCommandOptions,
): Promise<ProbeOptions> {
  const {
    binding,
    protocol,
    only,
    skip,
    strict,
    throttle,
    windowScan,
    send,
    isolation,
    allowHost,
    insecureHttp,
    ca,
    ignore,
    cardJwks,
    wait,
    timeout,
    rate,
    deadline,
  } = options
  requireHttpUrl('URL', url)
  const roster = name === undefined ? undefined : await context.store.read()
  const source =
    roster && name !== undefined
      ? storeSource(context, options, roster, name)
      : await environmentSource(context, options)
  if (options.otherPeer !== undefined && options.otherPeer === name && isolation !== true) {
    throw new TOTPError('ERR_USAGE', '--other-peer must be another peer than NAME; its code must be refused')
  }
  const isolates = isolation ?? only?.includes('isolation') ?? false
  const otherPeer = await findOtherPeer(context, roster, source, { asked: options.otherPeer, isolates })
  if (isolates && (!otherPeer?.token || options.otherPeer === source.peer)) {
    throw new TOTPError(
      'ERR_USAGE',
      'isolation needs a second peer with a live token; name one of the store with --other-peer',
    )
  }
  const peer = roster && name !== undefined ? peerNamed(roster, name) : undefined
  return {
    url,
    credentials: {
      ...credentialsOf(source),
      ...(roster && peer
        ? {
            replay: replayOf(roster, peer),
            signed: signedOf(roster, peer),
            signedByAgent: roster.signed ?? 'off',
          }
        : signedIn(context.env)),
    },
    ...(otherPeer ? { otherPeer } : {}),
    ...(source.url === undefined ? {} : { trustedUrl: source.url }),
    binding,
    protocol,
    ...(only ? { only } : {}),
    ...(skip ? { skip } : {}),
    ...(strict ? { strict } : {}),
    ...(throttle ? { throttle } : {}),
    ...(windowScan ? { windowScan } : {}),
    ...(send === undefined ? {} : { send }),
    ...(isolation ? { isolation } : {}),
    ...(allowHost ? { allowHosts: allowHost } : {}),
    ...(insecureHttp ? { insecureHttp } : {}),
    ...(ca === undefined ? {} : { ca: readGivenFile(context, 'the file given to --ca', ca).toString() }),
    ...(ignore === undefined ? {} : await ignoredBy(context, ignore)),
    ...(cardJwks === undefined ? {} : { cardKeys: cardKeysIn(context, cardJwks) }),
    ...(wait === undefined ? {} : { waitMs: wait * 1000 }),
    ...clientCertificate(context, options),
    timeoutMs: timeout * 1000,
    ...(rate === undefined ? {} : { rate }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline * 1000 }),
    now: context.now,
    random: context.random,
  }
}

/** The probe, which knows the checks, is loaded only when it runs. */
async function ignoredBy(
  context: CliContext,
  file: string,
): Promise<Pick<ProbeOptions, 'ignore' | 'ignoreFile'>> {
  const text = readGivenText(context, 'the file given to --ignore', file)
  const { parseIgnoreRows } = await import('../../../probe/index.js')
  return { ignore: parseIgnoreRows(text), ignoreFile: file }
}

function cardKeysIn(context: CliContext, file: string): unknown {
  const what = 'the file given to --card-jwks'
  const refuse = (message: string): TOTPError =>
    new TOTPError('ERR_USAGE', `${message}; pass a JSON Web Key Set`)
  return requireJson(readGivenText(context, what, file), what, refuse)
}

/** The certificate that the probe presents. The files are checked where they are used, before anything is sent. */
function clientCertificate(
  context: CliContext,
  { cert, key }: ProbeCommandOptions,
): Pick<ProbeOptions, 'clientCertificate'> {
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined || key === undefined) {
    const [given, missing] = key === undefined ? ['--cert', '--key'] : ['--key', '--cert']
    throw new TOTPError('ERR_USAGE', `${given} needs ${missing}: a certificate and its key belong together`)
  }
  const read = (option: string, file: string): string =>
    readGivenFile(context, `the file given to ${option}`, file).toString()
  return { clientCertificate: { cert: read('--cert', cert), key: read('--key', key) } }
}
