type Host = Pick<URL, 'hostname'>

/** Parses an absolute http or https URL; undefined for any other text. The URL may contain a user name. */
export function parseHttpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url : undefined
}

/**
 * Whether a URL certainly leads to this machine: `localhost`, 127.0.0.0/8 or `[::1]`. No other name does, not even
 * `*.localhost`, which a resolver may resolve to any address. The URL parser normalises the host of an http(s) URL, so
 * `127.1` and `0x7f.1` arrive here as 127.0.0.1.
 */
export function isLoopback({ hostname }: Host): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/**
 * Whether a URL has the unspecified address, or the `*` or `+` of server settings: what a server can listen on but no
 * client can call.
 */
export function isListenOnly({ hostname }: Host): boolean {
  return ['0.0.0.0', '[::]', '[::ffff:0:0]', '*', '+'].includes(hostname)
}

/** The port of an http(s) URL, the default one included. */
export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  return Number(port || (protocol === 'https:' ? 443 : 80))
}
