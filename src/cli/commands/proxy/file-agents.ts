import type { ClientFile } from '../../../client/file/client-file.js'
import { TOTPError } from '../../../core/errors.js'
import { printable } from '../../../core/text.js'
import type { ListenPlace } from '../../../service/address.js'
import type { ProxiedAgent } from '../../../sidecar/proxy/options.js'
import type { SharedClientFile } from '../../../sidecar/proxy/shared-client-file.js'
import { fromClientFile } from './peer-credentials.js'

/** The agents of a client file that has several, a listener each, and those that join them. */
export interface FileAgents {
  readonly agents: readonly ProxiedAgent[]
  /**
   * Calls for each agent that joins the file from now on.
   *
   * @param start its listener
   * @param warn that it has none, and what to do
   */
  follow(start: (agent: ProxiedAgent) => Promise<void>, warn: (message: string) => void): void
}

/** What is chosen for all of them. */
type Shared = Omit<ProxiedAgent, 'url' | 'credentials'>

const lastPort = 65_535

/**
 * @param path of the file, as messages name it
 * @throws {TOTPError} `ERR_USAGE` for a socket, hosts to allow, or too few ports; `ERR_CONFIG_INVALID` for an agent without a URL
 */
export function agentsOfFile(
  file: SharedClientFile,
  path: string,
  content: ClientFile,
  shared: Shared,
): FileAgents {
  const names = [...content.agents.keys()]
  const { listen } = shared
  const several = `the client file has the agents ${names.join(', ')}`
  if ('socket' in listen) throw usage(`--socket is for one agent, and ${several}; name one`)
  if (shared.allowHosts.length > 0) throw usage(`--allow-host is for one agent, and ${several}; name one`)
  if (listen.port > 0 && listen.port + names.length - 1 > lastPort)
    throw usage(`--listen has too few ports after it for ${names.length} agents; choose a lower one`)
  for (const [name, { url }] of content.agents) {
    if (url !== undefined) continue
    throw new TOTPError(
      'ERR_CONFIG_INVALID',
      `client file ${path}: agents.${name}.url is missing; each agent of a file with several needs its URL`,
    )
  }
  const agentAt = (name: string, index: number): ProxiedAgent => ({
    ...shared,
    ...{ url: undefined, credentials: fromClientFile(file, name), listen: placeAt(listen, index) },
  })
  return {
    agents: names.map(agentAt),
    follow: (start, warn) => {
      const known = new Set(names)
      const join = async (name: string, index: number): Promise<void> => {
        known.add(name)
        const restart = `the agent ${name} has joined client file ${path}, and has no listener here`
        // After a restart the ports follow the order of the file: none may lead to another agent then.
        if (listen.port > 0 && (index !== known.size - 1 || listen.port + index > lastPort)) {
          warn(`${restart}: ports follow the order of the file; restart the proxy`)
          return
        }
        try {
          await start(agentAt(name, index))
        } catch (error) {
          warn(printable(`${restart}, and cannot get one: ${(error as Error).message}`))
        }
      }
      file.onChange = ({ agents }) => {
        for (const [index, name] of [...agents.keys()].entries()) if (!known.has(name)) void join(name, index)
      }
    },
  }
}

function placeAt(listen: Exclude<ListenPlace, { socket: string }>, index: number): ListenPlace {
  return listen.port === 0 ? listen : { ...listen, port: listen.port + index }
}

function usage(message: string): TOTPError {
  return new TOTPError('ERR_USAGE', message)
}
