import { setTimeout as sleep } from 'node:timers/promises'
import { ClientFactory } from '@a2a-js/sdk/client'
import { credentials, status } from '@grpc/grpc-js'
import * as sdk03 from 'a2a-sdk-0.3/client'
import { GrpcTransportFactory } from 'a2a-sdk-0.3/client/grpc'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { totpTransports } from '../../src/client/a2a.js'
import { totpGrpcOptions } from '../../src/client/grpc.js'
import { BearerTokenAuth, TOTPClientAuthScheme, totpFetch } from '../../src/client/index.js'
import type { Caller } from '../../src/server/index.js'
import { agent03, type Agent03 } from '../support/agent-03.js'
import { temporaryFolder } from '../support/folder.js'
import { followedScheme, type FollowedScheme } from '../support/followed-scheme.js'
import { peers, type PeerName } from '../support/guarded.js'
import { bindings, message03, message13 } from '../support/messages.js'
import { ownSleep, ownTime } from '../support/own-time.js'
import { seedEntry, serverFile, tokenEntry, type ServerFileDocument } from '../support/server-file.js'
import { streamingAgent, type StreamingAgent } from '../support/streaming-agent.js'

const folder = temporaryFolder()
const withoutAlice = serverFile()
delete withoutAlice.peers['alice']

type Binding = (typeof bindings)[number]
const clientScheme = (peer: PeerName): TOTPClientAuthScheme =>
  new TOTPClientAuthScheme({ delegate: new BearerTokenAuth(peers[peer].token), seed: peers[peer].seed })

/** What came of a stream: the number of its events, and the error that ended it. */
interface Watched {
  readonly events: unknown[]
  readonly end: Promise<unknown>
}

function watch(stream: AsyncIterable<unknown>): Watched {
  const events: unknown[] = []
  const read = async (): Promise<string> => {
    for await (const event of stream) events.push(event)
    return 'ended cleanly'
  }
  return { events, end: read().catch((error: unknown) => error) }
}

const started = ({ events }: Watched): Promise<void> =>
  vi.waitFor(() => expect(events.length).toBeGreaterThan(0), { interval: 10 })

/** It ended with an error, and over gRPC with the one that tells to authenticate again. */
function expectCut(end: unknown, binding: Binding): void {
  expect(end).toBeInstanceOf(Error)
  if (binding !== 'GRPC') return
  const { cause, code } = end as { cause?: { code?: number }; code?: number }
  expect(cause?.code ?? code).toBe(status.UNAUTHENTICATED)
}

/** Alice with a second seed and token, and without her first ones. */
const newer = { token: 'a2at_newer-token-of-alice', seed: peers.bob.seed }
function rotated(keepOld: boolean | string): ServerFileDocument {
  const file = serverFile()
  const until = typeof keepOld === 'string' ? keepOld : undefined
  Object.assign(file.peers['alice'] ?? {}, {
    seeds: [...(keepOld ? [seedEntry('old', 'alice', until)] : []), seedEntry('new', 'bob')],
    tokens: [
      ...(keepOld ? [tokenEntry('old', peers.alice.token, until)] : []),
      tokenEntry('new', newer.token),
    ],
  })
  return file
}

let followed: FollowedScheme
beforeEach(() => {
  followed = followedScheme(folder, serverFile())
  // The SDK logs what ends a stream.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => {
  followed.scheme.close()
  vi.restoreAllMocks()
})

describe.each(bindings)('a stream of SDK 1.3 over %s', (binding) => {
  let agent: StreamingAgent
  beforeEach(async () => {
    agent = await streamingAgent(followed.scheme)
  })
  afterEach(() => agent[Symbol.asyncDispose]())

  const open = async (peer: PeerName): Promise<Watched> => {
    const factory = new ClientFactory({
      ...totpTransports(clientScheme(peer)),
      preferredTransports: [binding],
    })
    const client = await factory.createFromUrl(agent.origin)
    const watched = watch(client.sendMessageStream(message13()))
    await started(watched)
    return watched
  }

  it('ends within a second when its peer is removed; the executor hears of it, and others go on', async () => {
    const [alice, bob] = [await open('alice'), await open('bob')]
    await followed.replace(withoutAlice)
    const end = await Promise.race([alice.end, ownSleep(1000, 'still open')])
    expectCut(end, binding)
    expect(agent.stopped).toEqual([['alice', 'ERR_CREDENTIAL_REVOKED']])
    expect(await Promise.race([bob.end, sleep(200, 'still open')])).toBe('still open')
    agent.finish()
    expect(await bob.end).toBe('ended cleanly')
    expect(alice.events).toHaveLength(1)
  })

  it('goes on through a rotation with overlap, until the old credentials end', async () => {
    const alice = await open('alice')
    await followed.replace(rotated(true))
    expect(await Promise.race([alice.end, sleep(200, 'still open')])).toBe('still open')
    const until = new Date(Date.now() + 1500)
    const spent = ownTime()
    await followed.replace(rotated(until.toISOString()))
    expectCut(await alice.end, binding)
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime())
    expect(spent()).toBeLessThan(1500 + 1000)
    expect(agent.stopped).toEqual([['alice', 'ERR_CREDENTIAL_EXPIRED']])
  })

  it('ends when a rotation without overlap arrives', async () => {
    const alice = await open('alice')
    await followed.replace(rotated(false))
    expectCut(await Promise.race([alice.end, ownSleep(1000, 'still open')]), binding)
  })

  it('leaves a blocking call to be answered that its peer made before', async () => {
    const factory = new ClientFactory({
      ...totpTransports(clientScheme('bob')),
      preferredTransports: [binding],
    })
    const client = await factory.createFromUrl(agent.origin)
    const answer = client.sendMessage(message13())
    answer.catch(() => undefined)
    await sleep(200)
    const withoutBob = serverFile()
    delete withoutBob.peers['bob']
    await followed.replace(withoutBob)
    // This executor stops at the signal, and the answer says so.
    expect(JSON.stringify(await answer)).toContain('"state":5')
    expect(agent.stopped).toEqual([['bob', 'ERR_CREDENTIAL_REVOKED']])
  })
})

describe.each(bindings)('a stream of SDK 0.3 over %s', (binding) => {
  let agent: Agent03
  const finish: (() => void)[] = []
  const stopped: unknown[] = []
  beforeEach(async () => {
    agent = await agent03(followed.scheme, {
      execute: ({ contextId, taskId, context }, bus) => {
        const caller = (context?.user as { caller?: Caller } | undefined)?.caller
        caller?.signal.addEventListener('abort', () => stopped.push([caller.peer, caller.signal.reason]))
        bus.publish({ kind: 'task', id: taskId, contextId, status: { state: 'working' } })
        return new Promise((done) => {
          finish.push(() => {
            bus.publish({
              kind: 'status-update',
              taskId,
              contextId,
              status: { state: 'completed' },
              final: true,
            })
            bus.finished()
            done()
          })
        })
      },
      cancelTask: () => Promise.resolve(),
    })
  })
  afterEach(async () => {
    for (const end of finish.splice(0)) end()
    await agent[Symbol.asyncDispose]()
  })

  const open = async (peer: PeerName): Promise<Watched> => {
    const scheme = clientScheme(peer)
    const fetchImpl = totpFetch(scheme)
    const grpcOptions = totpGrpcOptions(scheme, { channelCredentials: credentials.createInsecure() })
    const client = await new sdk03.ClientFactory({
      transports: [
        new sdk03.JsonRpcTransportFactory({ fetchImpl }),
        new sdk03.RestTransportFactory({ fetchImpl }),
        new GrpcTransportFactory(grpcOptions),
      ],
      cardResolver: new sdk03.DefaultAgentCardResolver({ fetchImpl }),
      preferredTransports: [binding],
    }).createFromUrl(agent.origin)
    const watched = watch(client.sendMessageStream(message03))
    await started(watched)
    return watched
  }

  it('ends within a second when its peer is removed; the executor hears of it, and others go on', async () => {
    const [alice, bob] = [await open('alice'), await open('bob')]
    await followed.replace(withoutAlice)
    expectCut(await Promise.race([alice.end, ownSleep(1000, 'still open')]), binding)
    expect(stopped.splice(0)).toMatchObject([['alice', { code: 'ERR_CREDENTIAL_REVOKED' }]])
    expect(await Promise.race([bob.end, sleep(200, 'still open')])).toBe('still open')
    for (const end of finish.splice(0)) end()
    expect(await bob.end).toBe('ended cleanly')
  })
})
