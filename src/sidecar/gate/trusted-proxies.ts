import { BlockList, isIP } from 'node:net'
import { TOTPError } from '../../core/errors.js'
import { forwardedSource, plainAddress } from '../forward/forwarded-for.js'

/** The proxies in front that are believed when they say where a request came from. */
export class TrustedProxies {
  readonly #addresses = new BlockList()
  readonly #isEmpty: boolean

  /**
   * @param ranges IP addresses, or ranges such as `10.0.0.0/8` and `fd00::/8`
   * @throws {TOTPError} `ERR_USAGE` for anything else
   */
  constructor(ranges: readonly string[]) {
    this.#isEmpty = ranges.length === 0
    for (const range of ranges) this.#add(range)
  }

  #add(range: string): void {
    const [address = '', bits] = range.split('/', 2)
    const version = isIP(address)
    const most = version === 6 ? 128 : 32
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
    if (version === 0 || !(length <= most) || range.split('/').length > 2) {
      throw new TOTPError(
        'ERR_USAGE',
        '--trust-proxy must be an IP address or a range such as 10.0.0.0/8, of IPv4 or IPv6',
      )
    }
    this.#addresses.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4')
  }

  /** @param address of the socket, or as a proxy wrote it */
  trusts(address: string | undefined): boolean {
    if (this.#isEmpty || address === undefined) return false
    const plain = plainAddress(address)
    const version = plain === undefined ? 0 : isIP(plain)
    if (plain === undefined || version === 0) return false
    return this.#addresses.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * Where a request came from: the socket's address, or if that is a trusted proxy's, the last address of
   * `X-Forwarded-For` that is not. What stands before that one was written by somebody who is not trusted.
   *
   * @param forwardedFor the lines of `X-Forwarded-For`, in order
   */
  sourceOf(socketAddress: string | undefined, forwardedFor: () => readonly string[]): string | undefined {
    const own = socketAddress === undefined ? undefined : (plainAddress(socketAddress) ?? socketAddress)
    if (!this.trusts(own)) return own
    return forwardedSource(forwardedFor(), (address) => this.trusts(address), own)
  }
}
