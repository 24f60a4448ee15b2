// One server of the HTTP section. The first argument says which one; peers come and figures go over the IPC channel.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { Redis } from 'ioredis'
import { Secret, TOTP } from 'otpauth'
import { verify as verifyWithOtplib } from 'otplib'
import passport from 'passport'
import { Strategy as BearerStrategy } from 'passport-http-bearer'
import { defaultProfile } from '../../src/core/profile.js'
import type { SignedPolicy } from '../../src/core/proof/profile.js'
import { timeStepAt } from '../../src/core/totp.js'
import { TOTPServerAuthScheme } from '../../src/server/index.js'
import { totpGuard } from '../../src/server/express.js'
import { totpGuard as nodeGuard } from '../../src/server/node.js'
import type { State } from '../../src/state/state.js'
import { fromIoredis, redisState } from '../../src/server/redis.js'
import { attemptOf } from '../attempts.js'
import { now, obey } from './order.js'
import { agent, type PeerData, type ServerName } from './protocol.js'

const body = '{"ok":true}'
const head = { 'Content-Type': 'application/json', 'Content-Length': body.length }
type HttpServerName = Exclude<ServerName, `grpc-js${string}`>

const answer: RequestListener = (_req, res) => void res.writeHead(200, head).end(body)

const servers: Readonly<
  Record<HttpServerName, (peers: readonly PeerData[], redis?: string) => RequestListener>
> = {
  'node:http': () => answer,
  'node:http + a2a-totp, reuse': (peers) => nodeGuard(schemeOf(peers, 'reuse'), answer),
  'node:http + a2a-totp, once': (peers) => nodeGuard(schemeOf(peers, 'once'), answer),
  'node:http + a2a-totp, once over Redis': (peers, redis) =>
    nodeGuard(schemeOf(peers, 'once', 'off', overRedis(redis)), answer),
  'node:http + createHash + Map + otpauth': naive,
  express: () => application(),
  'express + a2a-totp, reuse': (peers) => {
    const guard = totpGuard(schemeOf(peers, 'reuse'))
    return application((app) => app.use(guard))
  },
  'express + passport-http-bearer + otplib': withPassport,
  'express.json + a2a-totp, code alone': (peers) => reading(schemeOf(peers, 'reuse')),
  'express.json + a2a-totp, code alone, again': (peers) => reading(schemeOf(peers, 'reuse')),
  'express.json + a2a-totp, observe, code alone': (peers) => reading(schemeOf(peers, 'reuse', 'observe')),
  'express.json + a2a-totp, accept, signed': (peers) => reading(schemeOf(peers, 'reuse', 'accept')),
}

/** An application that reads what it is sent, as the handlers of A2A do. */
function reading(scheme: TOTPServerAuthScheme): Express {
  const guard = totpGuard(scheme)
  return application((app) => app.use(guard, express.json({ limit: '1mb' })))
}

function schemeOf(
  peers: readonly PeerData[],
  replay: 'once' | 'reuse',
  signed: SignedPolicy = 'off',
  state?: State,
): TOTPServerAuthScheme {
  return new TOTPServerAuthScheme({
    peerSeeds: new Map(peers.map(({ name, seed }) => [name, seed])),
    tokenToPeer: new Map(peers.map(({ name, token }) => [token, name])),
    replay,
    agent,
    signed,
    ...(state && { state }),
    now,
  })
}

/** Commands of one turn of the event loop go to Redis together. */
function overRedis(path = ''): State {
  const client = new Redis({ path, enableAutoPipelining: true })
  const state = redisState(fromIoredis(client), { timeoutMs: 10_000, now })
  // The first that is asked is when its memory begins, and the steps around that are unknown to it.
  void state.decide(attemptOf(0, timeStepAt(defaultProfile, now())))
  return state
}

function naive(peers: readonly PeerData[]): RequestListener {
  const digest = (token: string): string => createHash('sha256').update(token).digest('hex')
  const totps = new Map(
    peers.map(({ token, seed }) => [digest(token), new TOTP({ secret: Secret.fromBase32(seed) })]),
  )
  return (req, res) => {
    const totp = totps.get(digest(req.headers.authorization?.slice('Bearer '.length) ?? ''))
    const token = String(req.headers['x-totp'])
    const drift = totp?.validate({ token, window: 1, timestamp: now().getTime() }) ?? null
    if (drift === null) res.writeHead(401).end()
    else res.writeHead(200, head).end(body)
  }
}

function application(use: (app: Express) => unknown = () => undefined): Express {
  const app = express()
  use(app)
  app.use((_req, res) => {
    res.writeHead(200, head).end(body)
  })
  return app
}

/** As their manuals show it: a strategy that looks the token up, and a middleware that verifies the code. */
function withPassport(peers: readonly PeerData[]): Express {
  const seeds = new Map(peers.map(({ token, seed }) => [token, seed]))
  passport.use(
    new BearerStrategy((token, done) => {
      const seed = seeds.get(token)
      done(null, seed === undefined ? false : { seed })
    }),
  )
  return application((app) => {
    app.use(passport.authenticate('bearer', { session: false }))
    app.use(async (req, res, next) => {
      const { seed } = req.user as { seed: string }
      const { valid } = await verifyWithOtplib({
        secret: seed,
        token: String(req.headers['x-totp']),
        epoch: Math.floor(now().getTime() / 1000),
        epochTolerance: 30,
      })
      if (valid) next()
      else res.writeHead(401).end()
    })
  })
}

obey(async (order) => {
  const server = createServer(servers[order.server as HttpServerName](order.peers, order.redis))
  // The connections stay, however long the other servers' turns take.
  server.keepAliveTimeout = 0
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
})
