import packageJson from '../../../../package.json' with { type: 'json' }
import { TOTPError } from '../../../core/errors.js'
import { completed, completing, peerArgument, type Words } from '../../completes.js'
import { inContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { choice, wholeNumber } from '../../options.js'
import { targetOf } from './probe-target.js'
import { optionsFor, type ProbeCommandOptions } from './probe-options.js'
import { duringProbe } from './probe-progress.js'
import { formatOption, requirePlaces, writeReports } from './probe-reports.js'
import { sarifLocation } from './sarif-location.js'
import { parseMetricsAddress } from './metrics-address.js'
import { outOptions } from '../../io/result-file.js'
import type { ProbeOptions } from '../../../probe/index.js'

/** An option that names a few words with commas between them; it may be repeated. */
const list = (option: string): ((text: string, before?: string[]) => string[]) => {
  return (text, before = []) => {
    const words = text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean)
    // Nothing chosen would be everything, which is not what an empty variable of a script means.
    if (words.length === 0)
      throw new TOTPError('ERR_USAGE', `${option} names nothing; give it a value, or omit it`)
    return [...before, ...words]
  }
}

/** The checks, each with what it proves. The probe, which knows them, is loaded only when they are wanted. */
const checkWords: Words = {
  words: async () => {
    const { checkIds, explainCheck } = await import('../../../probe/index.js')
    return checkIds.map((id) => ({ word: id, description: explainCheck(id).proves }))
  },
}

const checkList = (option: string): ReturnType<typeof list> =>
  completing(list(option), { ...checkWords, list: true })

export const define = inContext((command, context) => {
  command
    // One argument alone may be the peer.
    .argument(...peerArgument('[url]', "the agent's address, or its card's (default: the store's URL)"))
    .argument(...peerArgument('[name]', 'the peer to call as; else $A2A_TOTP_TOKEN and $A2A_TOTP_SEED'))
    .option('--token-env <var>', 'the variable that holds the token')
    .option('--seed-env <var>', 'the variable that holds the seed')
    .option(
      ...choice('--binding <binding>', 'test this binding only', ['auto', 'jsonrpc', 'rest', 'grpc']),
      'auto',
    )
    .option(...choice('--protocol <version>', 'test this A2A version only', ['auto', '1.0', '0.3']), 'auto')
    .option(
      ...peerArgument(
        '--other-peer <name>',
        'the peer whose code must be refused with this token (default: any other peer of the store)',
      ),
    )
    .option('--only <ids>', 'run these checks only, comma-separated', checkList('--only'))
    .option('--skip <ids>', 'leave these checks out', checkList('--skip'))
    .option('--strict', 'treat warnings as failures')
    .option(
      '--throttle',
      'also send wrong codes until they are slowed down; the peer may be locked out for a while',
    )
    .option('--window-scan', 'also find out how many time steps are accepted')
    .option('--send <text>', 'also send this message with valid credentials: a side effect')
    .option(
      '--isolation',
      'also send a message and ask for its task as another peer: a side effect, as with --send',
    )
    .option('--allow-host <host>', 'credentials may go to this host as well', list('--allow-host'))
    .option('--insecure-http', 'send credentials over plain http beyond loopback')
    .option('--ca <file>', 'trust the certificates in this PEM file')
    .option('--card-jwks <file>', 'verify signatures of the card with these keys (JSON Web Key Set)')
    .option('--ignore <file>', 'known failures and warnings, each with a reason and an expiry (JSON array)')
    .option(...wholeNumber('--wait <seconds>', 'wait for an agent that does not answer yet', 0, 3600))
    .option('--cert <file>', 'the client certificate to present, as PEM')
    .option('--key <file>', 'the private key of --cert, as PEM')
    .option('--proxy <url>', 'reach https and gRPC over TLS through this proxy (default: $HTTPS_PROXY)')
    .option(...wholeNumber('--timeout <seconds>', 'how long one request may take', 1, 300), 10)
    .option(...wholeNumber('--rate <n>', 'send at most so many requests a second', 1, 1000))
    .option(...wholeNumber('--deadline <seconds>', 'how long the whole run may take', 1, 86_400))
    .option(...formatOption)
    .option('--sarif-location <file>', 'the file of the repository that SARIF names (default: the store)')
    .option(
      ...wholeNumber(
        '--watch <seconds>',
        'probe again and again, from start to start; guesses are sent at most once an hour',
        1,
        86_400,
      ),
    )
    .option(
      '--metrics <address>',
      'with --watch, serve OpenMetrics at /metrics of this PORT or HOST:PORT, by default of 127.0.0.1',
      parseMetricsAddress,
    )
    .option(
      ...completed(
        '--explain <id>',
        'print what a check proves, what a failure means and how to fix it',
        checkWords,
      ),
    )
  return outOptions(command)
    .addHelpText(
      'after',
      `
Without a peer of the store the credentials are $A2A_TOTP_TOKEN and $A2A_TOTP_SEED, and for signed requests the
agent's name and the peer's policy are $A2A_TOTP_AGENT and $A2A_TOTP_SIGNED.
Without side effects: it asks for a task that does not exist. A run spends at most 4 wrong codes.
Exit code 0 if no check failed, 1 if one failed, 4 if the agent cannot be reached.

Examples:
  $ a2a-totp probe http://127.0.0.1:4100 alice
  $ a2a-totp probe alice
  $ a2a-totp probe https://billing.example ci-probe --strict --json > report.json
  $ a2a-totp probe https://billing.example ci-probe --format github --format junit=probe.xml
  $ a2a-totp probe https://billing.example ci-probe --watch 60 --metrics 9464
  $ a2a-totp probe --explain auth.after-valid
  $ A2A_TOTP_TOKEN=... A2A_TOTP_SEED=... a2a-totp probe https://billing.example`,
    )
    .action(async (url: string | undefined, name: string | undefined, options: ProbeCommandOptions) => {
      if (options.explain !== undefined) {
        if (options.explain.startsWith('mesh.'))
          throw new TOTPError(
            'ERR_USAGE',
            'the checks whose names begin with mesh. are of `mesh prove`; its reports say what they mean, and what to do',
          )
        const { explainCheck, pageOf } = await import('../../../probe/index.js')
        context.output.result(pageOf(options.explain), explainCheck(options.explain))
        return
      }
      const targets = options.format ?? []
      requireWatchable(options)
      requirePlaces(context, targets, options)
      const location = sarifLocation(context, options.sarifLocation)
      const read = async (): Promise<ProbeOptions> => {
        const target = await targetOf(context, {
          first: url,
          second: name,
          fromEnvironment: Boolean(options.seedEnv ?? context.env['A2A_TOTP_SEED']),
          tokenEnv: options.tokenEnv,
        })
        const asked = await optionsFor(context, target.url, target.name, options)
        const { chooseProxy } = await import('../../../probe/index.js')
        const proxy = chooseProxy(context.env, options.proxy)
        // A proxy that cannot be used is an error before anything is sent.
        proxy(new URL(asked.url))
        return { ...asked, proxy }
      }
      if (options.watch !== undefined) {
        const { watch } = await import('./watch.js')
        return watch(context, {
          ...{ seconds: options.watch, metrics: options.metrics, targets, options, read },
          location,
          version: packageJson.version,
        })
      }
      const probeOptions = await read()
      const { formats, probe } = await import('../../../probe/index.js')
      const report = await duringProbe(context, (telling) =>
        context.unlessInterrupted(probe({ ...probeOptions, ...telling })),
      )
      writeReports(context, report, targets, options, (format, nice) =>
        formats[format](report, {
          version: packageJson.version,
          ...(location === undefined ? {} : { location }),
          color: nice,
          symbols: nice && context.output.unicode,
        }),
      )
      if (!report.reachable) context.setExitCode(exitCodes.unreachable)
      else if (!report.ok) context.setExitCode(exitCodes.no)
    })
})

/** Refuses what makes no sense again and again. */
function requireWatchable({ watch, metrics, throttle, windowScan, only = [] }: ProbeCommandOptions): void {
  if (watch === undefined) {
    if (metrics)
      throw new TOTPError('ERR_USAGE', '--metrics is served only with --watch; add --watch SECONDS')
    return
  }
  const scans = only.filter((id) => id === 'throttle' || id === 'window')
  if (throttle === true || windowScan === true || scans.length > 0) {
    throw new TOTPError(
      'ERR_USAGE',
      '--watch cannot be used with a scan (--throttle, --window-scan), which may lock the peer out; omit one',
    )
  }
}
