import { BlockList, isIP } from 'node:net'

/** Where to listen: at a port of an address of this machine, or at a socket in the file system. */
export type ListenPlace =
  | ListenAddress
  | {
      /** The path of the socket. */
      readonly socket: string
    }

/** An address to listen on. */
export interface ListenAddress {
  /** An IP address of this machine; an IPv6 address without brackets. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
}

/**
 * Reads an address to listen on: a port of the loopback address, or `HOST:PORT` with an IP address (IPv6 in brackets) or
 * `localhost`.
 *
 * @returns undefined for anything else, such as a host name, which may lead anywhere, or no host before a `:`
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, name, digits = ''] =
    /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? (name === 'localhost' ? '127.0.0.1' : (name ?? '127.0.0.1'))
  const port = Number(digits)
  const isAddress = isIP(host) === (bracketed === undefined ? 4 : 6)
  return digits !== '' && port <= 65_535 && isAddress ? { host, port } : undefined
}

const loopbacks = new BlockList()
loopbacks.addSubnet('127.0.0.0', 8)
loopbacks.addAddress('::1', 'ipv6')

/** Whether only programs of this machine can reach it. An unspecified address (`0.0.0.0`, `::`) is reached by all. */
export function isLoopback({ host }: Pick<ListenAddress, 'host'>): boolean {
  return isIP(host) !== 0 && loopbacks.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}

/** An IP address as in a URL. */
export const shownHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** `HOST:PORT` as in a URL. */
export const shownAddress = ({ host, port }: ListenAddress): string => `${shownHost(host)}:${port}`
