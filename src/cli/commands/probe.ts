import { Command, Option } from 'commander'
import { A2aTotpError } from '../../core/errors.js'
import { replayOf, type Peer, type Roster } from '../../core/peer.js'
import type { TotpProfile } from '../../core/profile.js'
import { peerNamed } from '../../core/provision.js'
import type { Seed } from '../../core/seed.js'
import type { Token } from '../../core/token.js'
import type { ProbeOptions } from '../../probe/index.js'
import { findCodeSource, newestSeed, renamedEnv, sourceFromStore, type CodeSource } from '../code-source.js'
import type { CliContext } from '../context.js'
import { exitCodes } from '../exit-codes.js'
import { readGivenFile } from '../given-file.js'
import { choice, parseHttpUrl, wholeNumber } from '../options.js'
import { formatOption, requirePlaces, writeReports, type ReportTarget } from '../probe-reports.js'
import { outOptions, type OutOptions } from '../result-file.js'

interface ProbeCommandOptions extends OutOptions {
  tokenEnv?: string
  seedEnv?: string
  binding: ProbeOptions['binding']
  protocol: ProbeOptions['protocol']
  otherPeer?: string
  only?: string[]
  skip?: string[]
  strict?: true
  send?: string
  allowHost?: string[]
  insecureHttp?: true
  ca?: string
  timeout: number
  throttle?: true
  windowScan?: true
  format?: readonly ReportTarget[]
  explain?: string
}

export const probeCommand = (context: CliContext): Command => {
  const list = (text: string, before: string[] = []): string[] => [
    ...before,
    ...text.split(',').filter(Boolean),
  ]
  const command = new Command('probe')
    .description('prove against a live agent that bearer plus TOTP is really enforced')
    .argument('[url]', "the agent's address, or its card's")
    .argument('[name]', 'the peer to call as; else $A2A_TOTP_TOKEN and $A2A_TOTP_SEED')
    .option('--token-env <var>', 'the variable that holds the token')
    .option('--seed-env <var>', 'the variable that holds the seed')
    .addOption(
      choice('--binding <binding>', 'test this binding only', ['auto', 'jsonrpc', 'rest', 'grpc']).default(
        'auto',
      ),
    )
    .addOption(
      choice('--protocol <version>', 'test this A2A version only', ['auto', '1.0', '0.3']).default('auto'),
    )
    .option(
      '--other-peer <name>',
      'whose code must not pass with our token; else any other peer of the store',
    )
    .addOption(new Option('--only <ids>', 'run these checks only, comma-separated').argParser(list))
    .addOption(new Option('--skip <ids>', 'leave these checks out').argParser(list))
    .option('--strict', 'let warnings fail')
    .option(
      '--throttle',
      'also send wrong codes until they are slowed down; it may shut the peer out for a while',
    )
    .option('--window-scan', 'also find out how many time steps are accepted')
    .option(
      '--send <text>',
      'also send this message with valid credentials: the only call with a side effect',
    )
    .addOption(new Option('--allow-host <host>', 'credentials may go to this host as well').argParser(list))
    .option('--insecure-http', 'send credentials over plain http beyond loopback')
    .option('--ca <file>', 'trust the certificates in this PEM file')
    .addOption(wholeNumber('--timeout <seconds>', 'how long one request may take', 1, 300).default(10))
    .addOption(formatOption())
    .option('--explain <id>', 'say what a check proves, what its failure means and how to mend it')
  for (const option of outOptions()) command.addOption(option)
  return command
    .addHelpText(
      'after',
      `
Without side effects: it asks for a task that does not exist. A run spends at most 4 wrong codes.
Exit code 0 when every check passed, 1 when one failed, 4 when the agent cannot be reached.

Examples:
  $ a2a-totp probe http://127.0.0.1:4100 alice
  $ a2a-totp probe https://billing.example ci-probe --strict --json > report.json
  $ a2a-totp probe https://billing.example ci-probe --format github --format junit=probe.xml
  $ a2a-totp probe --explain auth.after-valid
  $ A2A_TOTP_TOKEN=... A2A_TOTP_SEED=... a2a-totp probe https://billing.example`,
    )
    .action(async (url: string | undefined, name: string | undefined, options: ProbeCommandOptions) => {
      if (options.explain !== undefined) {
        const { explainCheck, pageOf } = await import('../../probe/index.js')
        context.output.result(pageOf(options.explain), explainCheck(options.explain))
        return
      }
      if (url === undefined)
        throw new A2aTotpError('ERR_USAGE', 'missing the URL of the agent; give it first')
      const targets = options.format ?? []
      requirePlaces(context, targets, options)
      const probeOptions = await optionsFor(context, url, name, options)
      const { formats, probe } = await import('../../probe/index.js')
      const report = await context.busy.during('probing', (announce) =>
        context.unlessInterrupted(probe({ ...probeOptions, announce })),
      )
      writeReports(context, report, targets, options, (format, nice) =>
        formats[format](report, { color: nice, symbols: nice }),
      )
      if (!report.reachable) context.setExitCode(exitCodes.unreachable)
      else if (!report.ok) context.setExitCode(exitCodes.no)
    })
}

async function optionsFor(
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
    allowHost,
    insecureHttp,
    ca,
    timeout,
  } = options
  parseHttpUrl('URL', url)
  const roster = name === undefined ? undefined : await context.store.read()
  const source =
    roster && name !== undefined
      ? storeSource(context, roster, name)
      : await environmentSource(context, options)
  const otherPeer = await findOtherPeer(context, roster, source, options.otherPeer)
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
    ...(allowHost ? { allowHosts: allowHost } : {}),
    ...(insecureHttp ? { insecureHttp } : {}),
    ...(ca === undefined ? {} : { ca: readGivenFile(context, 'the file given to --ca', ca).toString() }),
    timeoutMs: timeout * 1000,
    now: context.now,
    random: context.random,
  }
}

function storeSource(context: CliContext, roster: Roster, name: string): CodeSource {
  return sourceFromStore(roster, peerNamed(roster, name), context.now())
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
    throw new A2aTotpError(
      'ERR_SEED_MISSING',
      'no credentials: name a peer of the store, or set $A2A_TOTP_TOKEN and $A2A_TOTP_SEED',
    )
  }
  return findCodeSource({ ...context, env }, undefined)
}

function credentialsOf(
  source: CodeSource,
): { token: Token; seed: Seed; peer?: string; agent?: string } & TotpProfile {
  const { token, profile, peer, agent } = source
  if (!token) {
    throw new A2aTotpError(
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

/** The peer whose code is tried with our token: the one asked for, else any other of the store with a seed of its own. */
async function findOtherPeer(
  context: CliContext,
  roster: Roster | undefined,
  source: CodeSource,
  asked: string | undefined,
): Promise<ProbeOptions['otherPeer']> {
  const known = roster ?? (asked === undefined ? undefined : await context.store.read())
  if (!known || known.sharedSeeds) return undefined
  const other = asked === undefined ? otherPeerOf(known, source.peer) : peerNamed(known, asked)
  if (!other) return undefined
  const { profile, ...rest } = sourceFromStore(known, other, context.now())
  const { algorithm, digits, period } = profile
  return { algorithm, digits, period, seed: newestSeed({ profile, ...rest }) }
}

/** One with codes of the same length: a longer or shorter one would be refused for its form alone. */
function otherPeerOf(roster: Roster, peer: string | undefined): Peer | undefined {
  const digits = peer === undefined ? undefined : roster.peers.get(peer)?.digits
  return [...roster.peers.values()].find((other) => other.name !== peer && other.digits === digits)
}
