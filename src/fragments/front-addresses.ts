/** A host and a port, as a front's configuration names them. */
export interface FrontAddress {
  /** A host name or an IP address; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
}

/** An IP address as in a URL. */
export const shownHost = ({ host }: FrontAddress): string => (host.includes(':') ? `[${host}]` : host)

/** `HOST:PORT` as in a URL. */
export const shownAddress = (address: FrontAddress): string => `${shownHost(address)}:${String(address.port)}`

/** Whether a host is neither an IPv4 nor an IPv6 address. */
export const isName = ({ host }: FrontAddress): boolean =>
  !host.includes(':') && !/^\d+(\.\d+){3}$/.test(host)

/** The addresses in a front's configuration. */
export interface FrontAddresses {
  /** Where the front listens. */
  readonly listen: FrontAddress
  /** Where `gate --authz` listens. */
  readonly gate: FrontAddress
  /** Where the agent listens. */
  readonly agent: FrontAddress
  /** What answers for the agent card; by default the agent. */
  readonly card?: FrontAddress
  /** The same for gRPC, which is left out without it. */
  readonly grpc?: { readonly listen: FrontAddress; readonly agent: FrontAddress }
  /** Where `gate --authz-grpc` listens: Envoy asks there, if there is one. */
  readonly gateGrpc?: FrontAddress
}

const loopback = (port: number): FrontAddress => ({ host: '127.0.0.1', port })

export const defaultFront = {
  listen: loopback(8080),
  gate: loopback(8181),
  agent: loopback(9999),
  listenGrpc: loopback(8081),
  agentGrpc: loopback(50_051),
} as const satisfies Record<string, FrontAddress>

/** Those of `defaultFront`, without gRPC. */
export const defaultAddresses: FrontAddresses = defaultFront
