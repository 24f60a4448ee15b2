import { defaultProfile } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCode } from '../../src/core/totp.js'
import { cliIn, execute } from '../processes.js'

/** Header lines of a peer, with the code of the moment. */
export type PeerLines = () => string

/** Makes a store with one peer, whose codes are valid for any number of requests. */
export function makePeer(folder: string): PeerLines {
  const run = cliIn(folder)
  execute(run('init', '--agent', 'bench'))
  execute(run('add-peer', 'alice', '--replay', 'reuse'))
  const client = JSON.parse(execute(run('config', 'client', 'alice', '--format', 'json'))) as {
    token: string
    seed: string
  }
  const seed = Seed.fromBase32(client.seed)
  return () =>
    `Authorization: Bearer ${client.token}\r\nX-TOTP: ${generateCode(seed, defaultProfile, new Date())}\r\n`
}
