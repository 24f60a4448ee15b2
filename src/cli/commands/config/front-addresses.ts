import { isIP } from 'node:net'
import { TOTPError } from '../../../core/errors.js'
import { defaultFront, type FrontAddress, type FrontAddresses } from '../../../fragments/index.js'
import { parseListenAddress, shownAddress } from '../../../service/address.js'

/** The addresses in the configuration of a proxy, as they are given. */
export interface FrontOptions {
  listen?: string
  gate?: string
  agent?: string
  card?: string
  listenGrpc?: string
  gateGrpc?: string
  agentGrpc?: string
}

type Names = Readonly<Record<keyof FrontOptions, readonly [name: string, ...unknown[]]>>

/**
 * Reads the addresses of a proxy. gRPC is among them if one of `--listen-grpc` and `--agent-grpc` is given.
 *
 * @param names of the options, for messages
 * @throws {TOTPError} `ERR_USAGE` for what is no address, and for two listeners at the same one
 */
export function frontAddresses(given: FrontOptions, names: Names): FrontAddresses {
  const read = (key: keyof FrontOptions, parse: typeof ownAddress): FrontAddress | undefined => {
    const value = given[key]
    return value === undefined ? undefined : parse(names[key][0], value)
  }
  const listen = read('listen', ownAddress) ?? defaultFront.listen
  const gate = read('gate', anyAddress) ?? defaultFront.gate
  const agent = read('agent', anyAddress) ?? defaultFront.agent
  const card = read('card', anyAddress)
  const gateGrpc = read('gateGrpc', anyAddress)
  const listenGrpc = read('listenGrpc', ownAddress)
  const agentGrpc = read('agentGrpc', anyAddress)
  const grpc = (listenGrpc ?? agentGrpc) && {
    listen: listenGrpc ?? defaultFront.listenGrpc,
    agent: agentGrpc ?? defaultFront.agentGrpc,
  }
  if (grpc && shownAddress(grpc.listen) === shownAddress(listen))
    throw new TOTPError('ERR_USAGE', '--listen and --listen-grpc are the same; give gRPC a port of its own')
  return { listen, gate, agent, ...(card && { card }), ...(gateGrpc && { gateGrpc }), ...(grpc && { grpc }) }
}

/** An address of this machine. */
function ownAddress(name: string, value: string): FrontAddress {
  const address = value.includes(':') ? parseListenAddress(value) : undefined
  if (address && address.port > 0) return address
  throw notAnAddress(name, 'an IP address or localhost: 0.0.0.0:8080')
}

/**
 * An address of any machine, by name or number. Its characters mean nothing in any of the configurations. `localhost` is
 * 127.0.0.1, where agents and gates listen: some proxies do not find the name, others also try ::1.
 */
function anyAddress(name: string, value: string): FrontAddress {
  const [, bracketed, plain = '', digits = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9][A-Za-z0-9._-]{0,252})):([0-9]{1,5})$/.exec(value) ?? []
  const port = Number(digits)
  const isHost = bracketed === undefined ? plain !== '' : isIP(bracketed) === 6
  const host = /^localhost\.?$/i.test(plain) ? '127.0.0.1' : (bracketed ?? plain)
  if (isHost && port > 0 && port <= 65_535) return { host, port }
  throw notAnAddress(name, 'a host name or an IP address: 127.0.0.1:8080, [::1]:8080 or agent:8080')
}

const notAnAddress = (name: string, right: string): TOTPError =>
  new TOTPError('ERR_USAGE', `${name} must be HOST:PORT with ${right}`)
