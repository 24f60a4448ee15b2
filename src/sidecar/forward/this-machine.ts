import type { LookupFunction } from 'node:net'

/**
 * How to connect to a host: `localhost` is this machine at 127.0.0.1, else at ::1, and no resolver is asked, which could
 * lead elsewhere what never leaves this machine. Nothing for any other name.
 */
export function onThisMachine(hostname: string): { readonly lookup?: LookupFunction } {
  return hostname === 'localhost' ? { lookup: lookUpLocalhost } : {}
}

const lookUpLocalhost: LookupFunction = (_hostname, { all }, callback) => {
  // Unless Node's `--no-network-family-autoselection` is set, both are asked for and tried.
  if (!all) callback(null, '127.0.0.1', 4)
  else
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ])
}
