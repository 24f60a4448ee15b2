import { defaultProfile } from '../../src/core/profile.js'
import { generateCode } from '../../src/core/totp.js'
import { makePeers, type BenchPeer } from '../peers.js'
import { HttpLoad } from '../http-load.js'
import { inFolder } from '../processes.js'
import { hasRedis, withRedis } from '../redis-process.js'
import {
  cost,
  costWithin,
  microseconds,
  speed,
  type Measured,
  type Row,
  type Scale,
  type Section,
} from '../report.js'
import { ServerBursts } from '../server-bursts.js'
import type { BurstCost } from '../server-process.js'
import type { ServerName } from '../servers/protocol.js'

const names: readonly ServerName[] = [
  'node:http',
  'node:http + a2a-totp, reuse',
  'node:http + a2a-totp, once',
  'node:http + createHash + Map + otpauth',
  'express',
  'express + a2a-totp, reuse',
  'express + passport-http-bearer + otplib',
]

const overRedis: ServerName = 'node:http + a2a-totp, once over Redis'

/** A GET that is answered with a few bytes: the least that a server can do, so that what a guard adds shows most. */
export const httpSection: Section = {
  title: 'HTTP (50 connections, server and load on different cores)',
  run: (scale) =>
    hasRedis('the server that asks it')
      ? inFolder((folder) => withRedis(folder, (_client, redis) => run(scale, redis)))
      : run(scale),
}

async function run(scale: Scale, redis?: string): Promise<readonly Row[]> {
  const bursts = await ServerBursts.of({
    program: 'servers/http',
    names: redis ? [...names, overRedis] : names,
    peers: makePeers(scale.quick ? 1000 : 3000),
    ...(redis && { redis }),
    connect: (port: number) => HttpLoad.to(port),
    requestOf,
  })
  return rowsOf(await bursts.take(scale.rounds), scale, redis !== undefined)
}

function requestOf({ seed, token }: BenchPeer, at: Date): Buffer {
  const code = generateCode(seed, defaultProfile, at)
  return Buffer.from(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nX-TOTP: ${code}\r\n\r\n`,
  )
}

function rowsOf(of: (name: ServerName) => readonly BurstCost[], { quick }: Scale, withRedis: boolean): Row[] {
  const cpu = (name: ServerName): Measured => ({ name, samples: of(name).map((burst) => burst.cpu) })
  const wall = (name: ServerName): Measured => ({
    name: `${name}: throughput`,
    samples: of(name).map((burst) => burst.wall),
  })
  const none: ServerName = 'node:http'
  const express: ServerName = 'express'
  const passport: ServerName = 'express + passport-http-bearer + otplib'
  const goal = (limit: number): number | undefined => (quick ? undefined : limit)
  return [
    cost(cpu('node:http + a2a-totp, reuse'), cpu(none), microseconds),
    cost(cpu('node:http + a2a-totp, once'), cpu(none), microseconds),
    ...(withRedis ? [cost(cpu(overRedis), cpu('node:http + a2a-totp, once'), microseconds, goal(1.45))] : []),
    cost(cpu('node:http + createHash + Map + otpauth'), cpu(none), microseconds),
    costWithin(cpu('express + a2a-totp, reuse'), cpu(express), microseconds, goal(1.2)),
    cost(cpu(passport), cpu(express), microseconds),
    speed(wall('express + a2a-totp, reuse'), wall(passport), microseconds, goal(1.8)),
  ]
}
