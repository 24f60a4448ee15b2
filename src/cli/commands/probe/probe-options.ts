import { TOTPError } from '../../../core/errors.js'
import { parseJson } from '../../../core/json.js'
import { isLive, newestLive, replayOf, type Peer, type Roster } from '../../../core/roster.js'
import type { TOTPProfile } from '../../../core/profile.js'
import { peerNamed } from '../../../core/provision.js'
import { Seed } from '../../../core/seed.js'
import { Token } from '../../../core/token.js'
import type { ProbeOptions } from '../../../probe/index.js'
import {
  findCodeSource,
  fromVariable,
  newestSeed,
  sourceFromStore,
  type CodeSource,
} from '../codes/code-source.js'
import type { Env } from '../../../programs/environment.js'
import type { CliContext } from '../../context.js'
import { readGivenFile } from '../../io/given-file.js'
import { requireHttpUrl } from '../../options.js'
import type { ReportTarget } from './probe-reports.js'
import type { OutOptions } from '../../io/result-file.js'
import type { MetricsAddress } from '../../../service/metrics.js'

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
  metrics?: MetricsAddress
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
      ...(roster && peer ? { replay: replayOf(roster, peer) } : {}),
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
  const text = readGivenFile(context, 'the file given to --ignore', file).toString()
  const { parseIgnoreRows } = await import('../../../probe/index.js')
  return { ignore: parseIgnoreRows(text), ignoreFile: file }
}

function cardKeysIn(context: CliContext, file: string): unknown {
  const keys = parseJson(readGivenFile(context, 'the file given to --card-jwks', file).toString())
  if (keys !== undefined) return keys
  throw new TOTPError('ERR_USAGE', 'the file given to --card-jwks is not JSON; expected a JSON Web Key Set')
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

/** A peer of the store, with another token or seed where a variable for it is named. */
function storeSource(
  { env, now }: CliContext,
  { tokenEnv, seedEnv }: ProbeCommandOptions,
  roster: Roster,
  name: string,
): CodeSource {
  const { A2A_TOTP_TOKEN: token = '', A2A_TOTP_SEED: seed = '' } = renamedEnv(env, {
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
    ...(seedEnv === undefined ? {} : { seedEnv }),
  })
  return {
    ...sourceFromStore(roster, peerNamed(roster, name), now()),
    ...(tokenEnv === undefined ? {} : { token: fromVariable(tokenEnv, () => Token.parse(token)) }),
    ...(seedEnv === undefined ? {} : { seeds: [fromVariable(seedEnv, () => Seed.fromBase32(seed))] }),
  }
}

async function environmentSource(
  context: CliContext,
  { tokenEnv, seedEnv }: ProbeCommandOptions,
): Promise<CodeSource> {
  const env = renamedEnv(context.env, {
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
    ...(seedEnv === undefined ? {} : { seedEnv }),
  })
  if (!env['A2A_TOTP_SEED']) {
    throw new TOTPError(
      'ERR_SEED_MISSING',
      'no credentials: name a peer of the store, or set $A2A_TOTP_TOKEN and $A2A_TOTP_SEED',
    )
  }
  return findCodeSource({ ...context, env }, undefined)
}

/**
 * Credentials under other names, for `probe --token-env VAR --seed-env VAR`: the same as the standard
 * variables, read elsewhere.
 */
function renamedEnv(env: Env, { tokenEnv, seedEnv }: { tokenEnv?: string; seedEnv?: string }): Env {
  const read = (option: string, name: string | undefined, standard: string): string | undefined => {
    if (name === undefined) return env[standard]
    const value = env[name]
    if (value) return value
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `${option} names a variable that is not set, or is empty; set it, or omit ${option} to use $${standard}`,
    )
  }
  return {
    ...env,
    A2A_TOTP_TOKEN: read('--token-env', tokenEnv, 'A2A_TOTP_TOKEN'),
    A2A_TOTP_SEED: read('--seed-env', seedEnv, 'A2A_TOTP_SEED'),
  }
}

function credentialsOf(
  source: CodeSource,
): { token: Token; seed: Seed; peer?: string; agent?: string } & TOTPProfile {
  const { token, profile, peer, agent } = source
  if (!token) {
    throw new TOTPError(
      'ERR_TOKEN_MISSING',
      'no token to probe with; name a peer of the store, or set $A2A_TOTP_TOKEN',
    )
  }
  return {
    ...profile,
    token,
    seed: newestSeed(source),
    ...(peer ? { peer } : {}),
    ...(agent ? { agent } : {}),
  }
}

/** The peer whose code is tried with our token: the one asked for, else any other of the store with a live seed. */
async function findOtherPeer(
  context: CliContext,
  roster: Roster | undefined,
  source: CodeSource,
  { asked, isolates }: { readonly asked: string | undefined; readonly isolates: boolean },
): Promise<ProbeOptions['otherPeer']> {
  const known = roster ?? (asked === undefined ? undefined : await context.store.read())
  if (!known || known.sharedSeeds) return undefined
  const at = context.now()
  const other = asked === undefined ? otherPeerOf(known, source.peer, at, isolates) : peerNamed(known, asked)
  if (!other) return undefined
  const found = sourceFromStore(known, other, at)
  const { algorithm, digits, period } = found.profile
  return {
    ...{ algorithm, digits, period, seed: newestSeed(found) },
    ...(found.token ? { token: found.token } : {}),
  }
}

/** One with codes of the same length: a longer or shorter one would be refused for its form alone. Isolation asks as it. */
function otherPeerOf(
  roster: Roster,
  peer: string | undefined,
  at: Date,
  withToken: boolean,
): Peer | undefined {
  const digits = peer === undefined ? undefined : roster.peers.get(peer)?.digits
  return [...roster.peers.values()]
    .filter((other) => other.name !== peer && other.digits === digits)
    .filter(({ tokens }) => !withToken || newestLive(tokens, at)?.token !== undefined)
    .find(({ seeds }) => seeds.some((seed) => isLive(seed, at)))
}
