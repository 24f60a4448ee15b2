import { Metadata } from '@grpc/grpc-js'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { GrpcLoad } from '../grpc-load.js'
import { makePeers } from '../peers.js'
import { cost, microseconds, type Measured, type Section } from '../report.js'
import { ServerBursts } from '../server-bursts.js'
import type { ServerName } from '../servers/protocol.js'

const names: readonly ServerName[] = ['grpc-js', 'grpc-js + a2a-totp, reuse', 'grpc-js + a2a-totp, once']

/** A unary call that is answered with what it was sent: the least that a server can do. */
export const grpcSection: Section = {
  title: 'gRPC (50 calls under way, server and load on different cores)',
  async run({ quick, rounds }) {
    const peers = makePeers(quick ? 500 : 2000)
    const bursts = await ServerBursts.of({
      program: 'servers/grpc',
      names,
      peers,
      connect: (port: number) => Promise.resolve(new GrpcLoad(port)),
      requestOf: ({ seed, token }, at) => {
        const metadata = new Metadata()
        metadata.set('authorization', `Bearer ${token}`)
        metadata.set('x-totp', generateCode(seed, defaultProfile, at))
        return metadata
      },
    })
    const costs = await bursts.take(rounds)
    const cpu = (name: ServerName): Measured => ({ name, samples: costs(name).map((burst) => burst.cpu) })
    return [
      cost(cpu('grpc-js + a2a-totp, reuse'), cpu('grpc-js'), microseconds),
      cost(cpu('grpc-js + a2a-totp, once'), cpu('grpc-js'), microseconds),
    ]
  },
}
