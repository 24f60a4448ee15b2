import packageJson from '../../../../package.json' with { type: 'json' }
import { requireHosts } from '../../../core/card/hosts.js'
import { TOTPError } from '../../../core/errors.js'
import { isName } from '../../../core/name.js'
import { serveAdmin } from '../../../service/admin.js'
import { observeProxy } from '../../../sidecar/observe/observer.js'
import type { CredentialSource } from '../../../sidecar/proxy/credentials.js'
import { proxyDefaults, type ProxiedAgent } from '../../../sidecar/proxy/options.js'
import type { Proxy } from '../../../sidecar/proxy/start.js'
import type { Sidecar } from '../../../sidecar/sidecar.js'
import type { CliContext } from '../../context.js'
import { pathFrom } from '../../io/path.js'
import { refuseTogether, requireHttpUrl } from '../../options.js'
import { logOf } from '../../sidecar-log.js'
import { runSidecar } from '../../sidecar-run.js'
import { socketPath, type OperationOptions } from '../sidecar-options.js'
import { agentsOfFile, type FileAgents } from './file-agents.js'
import { fromClientFile, fromEnvironment, fromStore } from './peer-credentials.js'
import type { ProxyOptions } from './proxy-options.js'

interface Arguments {
  readonly url: string | undefined
  readonly name: string | undefined
}

/** Runs a proxy until it is told to end. */
export async function runProxy(
  context: CliContext,
  given: Arguments,
  options: ProxyOptions & OperationOptions,
): Promise<void> {
  const { now } = context
  const { agents, follow } = await agentsOf(context, given, options)
  const { startProxy } = await import('../../../sidecar/proxy/start.js')
  const log = logOf(context, options.log)
  let proxy: Proxy | undefined
  const observation = observeProxy({
    ...{ log, version: packageJson.version, now },
    agents: () => proxy?.agents() ?? [],
  })
  const start = async (): Promise<Sidecar> => {
    const sidecar = await listen()
    if (agents.some(({ listen, localAuth }) => localAuth === 'none' && !('socket' in listen))) {
      // Not before: a start that is refused says only why.
      observation.event({ at: now(), type: 'warning', message: openToAll })
    }
    return sidecar
  }
  const listen = async (): Promise<Sidecar> => {
    const started = (proxy = await startProxy({ agents, observer: observation, now }))
    follow?.(
      async (agent) => {
        observation.event({ at: now(), type: 'listening', listener: await started.add(agent) })
      },
      (message) => observation.event({ at: now(), type: 'warning', message }),
    )
    if (options.admin === undefined) return started
    const { admin } = options
    let draining = false
    const listener = await serveAdmin(admin, {
      ready: () => (draining ? 'draining' : started.ready()),
      metrics: () => observation.metrics(),
      status: () => observation.status(),
    }).catch(async (error: unknown) => {
      await started.close()
      throw error
    })
    const agent = agents.length === 1 ? (started.listeners[0]?.agent ?? '') : ''
    return {
      listeners: [...started.listeners, { role: 'admin', url: `http://${listener.address}`, agent }],
      reload: () => started.reload(),
      drain: async (ms) => {
        draining = true
        await started.drain(ms)
        await listener.stop()
      },
      close: async () => {
        await started.close()
        await listener.stop()
      },
    }
  }
  await runSidecar(context, start, {
    drainMs: options.drain * 1000,
    onEvent: (event) => observation.event(event),
  })
}

const openToAll =
  'without --local-auth every local user of this machine can call as the peer; use --local-auth header or url, or --socket'

async function agentsOf(
  context: CliContext,
  given: Arguments,
  options: ProxyOptions & OperationOptions,
): Promise<Pick<FileAgents, 'agents'> & Partial<FileAgents>> {
  const { config, clientFile } = options
  if (config === undefined) {
    const { url, name } = readArguments(given)
    const all = allOptionsOf(context, options)
    if (clientFile !== undefined) {
      const { SharedClientFile } = await import('../../../sidecar/proxy/shared-client-file.js')
      const path = pathFrom(context, clientFile)
      const file = new SharedClientFile(path)
      if (url === undefined && name === undefined) {
        const content = file.read()
        if (content.agents.size > 1) return agentsOfFile(file, path, content, all)
      }
      return { agents: [{ ...all, url: urlOf(url), credentials: fromClientFile(file, name) }] }
    }
    return { agents: [{ ...all, url: urlOf(url), credentials: await credentialsOf(context, name) }] }
  }
  const shared = ['config', 'admin', 'adminPublic', 'log', 'drain']
  const [first] = Object.keys(options).filter((option) => !shared.includes(option))
  if (first !== undefined || given.url !== undefined) {
    throw new TOTPError(
      'ERR_USAGE',
      `--config has everything about its agents; write ${first === undefined ? 'the URL' : optionName(first)} into the file instead`,
    )
  }
  const { readProxyConfig } = await import('./proxy-config.js')
  return { agents: await readProxyConfig(context, config) }
}

const optionName = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** What the options say of an agent, whichever it is. */
function allOptionsOf(context: CliContext, options: ProxyOptions): Omit<ProxiedAgent, 'url' | 'credentials'> {
  const { listen, socket, allowHost = [], localAuth, localTokenFile, cert, key } = options
  refuseTogether({ '--listen': listen, '--socket': socket })
  requireHosts(allowHost)
  if ((cert === undefined) !== (key === undefined)) {
    throw new TOTPError('ERR_USAGE', '--cert and --key go together; give both')
  }
  if (localTokenFile !== undefined && (localAuth ?? 'none') === 'none') {
    throw new TOTPError(
      'ERR_USAGE',
      '--local-token-file needs --local-auth header or url, which say how it is sent',
    )
  }
  const path = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : pathFrom(context, file)
  const { maxWait } = options
  return {
    listen:
      socket === undefined
        ? (listen ?? proxyDefaults.listen)
        : { socket: socketPath(context, '--socket', socket) },
    localAuth: localAuth ?? proxyDefaults.localAuth,
    localTokenFile: path(localTokenFile),
    sign: options.sign ?? proxyDefaults.sign,
    maxSignedBody: options.maxSignedBody ?? proxyDefaults.maxSignedBody,
    maxWaitMs: maxWait === undefined ? proxyDefaults.maxWaitMs : maxWait * 1000,
    maxQueue: options.maxQueue ?? proxyDefaults.maxQueue,
    allowHosts: allowHost,
    caFile: path(options.ca),
    certFile: path(cert),
    keyFile: path(key),
    insecureHttp: options.insecureHttp === true,
    cardSecurity: options.cardSecurity ?? proxyDefaults.cardSecurity,
  }
}

const urlOf = (url: string | undefined): URL | undefined =>
  url === undefined ? undefined : new URL(requireHttpUrl('URL', url))

/** One argument alone is the URL if it has `://`, else the name. */
function readArguments({ url: first, name: second }: Arguments): Partial<Arguments> {
  if (second !== undefined) {
    if (first?.includes('://') === true || /^https?:/i.test(first ?? '')) return { url: first, name: second }
    throw new TOTPError(
      'ERR_USAGE',
      'the first of two arguments is the URL, which starts with http:// or https://: a2a-totp proxy URL NAME',
    )
  }
  if (first === undefined || first.includes('://')) return { url: first }
  if (isName(first)) return { name: first }
  throw new TOTPError(
    'ERR_USAGE',
    'the argument is neither a URL nor a peer; a URL starts with http:// or https://',
  )
}

async function credentialsOf(context: CliContext, name: string | undefined): Promise<CredentialSource> {
  const { env, store } = context
  const known = env['A2A_TOTP_SEED'] ?? ''
  if (name === undefined && known !== '') return withStoredUrl(context, await fromEnvironment(context))
  if (name === undefined && store.isMissing()) {
    throw new TOTPError(
      'ERR_SEED_MISSING',
      'no credentials; name a peer of the store, give --client-file, or set $A2A_TOTP_TOKEN and $A2A_TOTP_SEED',
    )
  }
  return fromStore(context, store, name)
}

/** Without `$A2A_TOTP_URL` the agent of the environment's credentials is where the store says. */
function withStoredUrl({ store }: CliContext, source: CredentialSource): CredentialSource {
  return {
    read: async (listener) => {
      const credentials = await source.read(listener)
      const isOpen = credentials.url === undefined && store.exists()
      return isOpen ? { ...credentials, url: (await store.read()).url } : credentials
    },
  }
}
