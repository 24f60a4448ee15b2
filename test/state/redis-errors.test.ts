import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { Cluster, Redis, ReplyError, type RedisOptions } from 'ioredis'
import {
  ClientClosedError,
  ClientOfflineError,
  CommandTimeoutDuringMaintenanceError,
  ConnectionTimeoutError,
  createClient,
  DisconnectsClientError,
  ReconnectStrategyError,
  RootNodesUnavailableError,
  SimpleError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutDuringMaintenanceError,
  SocketTimeoutError,
} from 'redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  failureOf,
  tooManyWaiting,
  unavailable,
  UnexpectedReplyError,
} from '../../src/state/redis-failure.js'
import { rejectionOf } from '../support/store-folder.js'

/** What each client makes of an error of Redis. */
const replied: Readonly<Record<string, (text: string) => Error>> = {
  ioredis: (text) => new (ReplyError as new (text: string) => Error)(text),
  'node-redis': (text) => new SimpleError(text),
}

const advising = (cause: string, ...words: string[]): object => ({
  cause,
  advice: expect.stringMatching(words.map((word) => `(?=.*${word})`).join('')) as string,
})
const unknown = advising('unknown', 'its own log says more')
const notConnected = advising('no-connection', 'no connection to Redis', 'is it running', 'password')
const timedOut = advising('timeout', 'in time')

describe.each(Object.keys(replied))('an error that Redis replies to %s', (client) => {
  const failure = (text: string, prefix?: string): object =>
    failureOf(replied[client]?.(text), ...(prefix === undefined ? [] : [prefix]))

  it.each([
    ['BUSY', 'SCRIPT KILL'],
    ['CLUSTERDOWN', 'CLUSTER INFO'],
    ['CROSSSLOT', 'keyPrefix'],
    ['DENIED', 'protected mode'],
    ['LOADING', 'loading its data'],
    ['MASTERDOWN', 'primary'],
    ['MISCONF', 'disk'],
    ['MOVED', 'cluster client'],
    ['NOAUTH', 'password'],
    ['NOPERM', 'permission|\\+evalsha'],
    ['NOREPLICAS', 'min-replicas-to-write'],
    ['NOSCRIPT', 'EVAL'],
    ['OOM', 'maxmemory'],
    ['READONLY', 'primary'],
    ['TRYAGAIN', 'another node'],
    ['UNKILLABLE', 'wait for its end'],
    ['WRONGPASS', 'user name or the password'],
    ['WRONGTYPE', 'another prefix'],
  ])('and that begins with %s is explained: %s', (word, advice) => {
    for (const text of [word, `${word} of hunter2`]) expect(failure(text)).toEqual(advising(word, advice))
  })

  it.each([
    ['version', "ERR Error compiling script (new function): unexpected symbol near '#'", 'Redis 7'],
    ['version', "ERR unknown command 'evalsha'", 'Valkey'],
    ['maxclients', 'ERR max number of clients reached', 'raise maxclients'],
    ['NOPERM', 'ERR The user executing the script can’t run this command or subcommand', '~{PREFIX}:'],
    ['NOPERM', 'ERR ACL failure in script: No permissions to access a key', '\\+zrange'],
  ])('without a word of its own is %s: %s', (cause, text, advice) => {
    expect(failure(text)).toEqual(advising(cause, advice))
  })

  it.each([
    'ERR hunter2',
    'alice is READONLY',
    ' READONLY hunter2',
    'READONLY: hunter2',
    'READONLYISH hunter2',
    'readonly hunter2',
    'HUNTER2 READONLY',
    'the ERR max number of clients',
  ])('and that only resembles one is unknown: %s', (text) => {
    expect(failure(text)).toEqual(unknown)
  })

  it('names the keys of the prefix in use, and PREFIX where there is none', () => {
    for (const word of ['NOPERM', 'WRONGTYPE']) {
      expect(failure(word, 'billing')).toEqual(advising(word, '~{billing}:\\*'))
      expect(failure(word)).toEqual(advising(word, '~{PREFIX}:\\*'))
    }
  })
})

describe('an error of a client', () => {
  async function portOf(server: ReturnType<typeof createServer>): Promise<number> {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return (server.address() as AddressInfo).port
  }
  /** A port where nothing listens. */
  async function closedPort(): Promise<number> {
    const server = createServer()
    const port = await portOf(server)
    await once(server.close(), 'close')
    return port
  }
  const asked = (client: Redis | Cluster): Promise<unknown> => {
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    return rejectionOf(client.evalsha('digest', 0))
  }
  const lonely = { lazyConnect: true, enableOfflineQueue: false }

  it.each<[why: string, options: RedisOptions]>([
    ['gave up connecting', { retryStrategy: () => null }],
    ['may not queue', lonely],
    ['does not try again', { maxRetriesPerRequest: 0, retryStrategy: () => 1 }],
  ])('says that there is no connection, where ioredis %s', async (_why, options) => {
    const client = new Redis({ host: '127.0.0.1', port: await closedPort(), ...options })
    const error = await asked(client)
    expect(failureOf(error)).toEqual(notConnected)
    expect(failureOf(new Error(`alice: ${(error as Error).message}`))).toEqual(unknown)
  })

  it.each([
    ['reaches no node', {}],
    ['may not queue', lonely],
  ])('says that there is no connection, where a cluster client of ioredis %s', async (_why, options) => {
    const nodes = [{ host: '127.0.0.1', port: await closedPort() }]
    const client = new Cluster(nodes, { clusterRetryStrategy: () => null, ...options })
    expect(failureOf(await asked(client))).toEqual(notConnected)
  })

  it('says that there was no answer in time, where ioredis waits no longer', async () => {
    const silent = createServer()
    onTestFinished(() => void silent.close())
    const options = { host: '127.0.0.1', enableReadyCheck: false, commandTimeout: 1 }
    const client = new Redis({ ...options, port: await portOf(silent) })
    expect(failureOf(await asked(client))).toEqual(timedOut)
  })

  it('says that there is no connection, where node-redis was not told to connect', async () => {
    expect(failureOf(await rejectionOf(createClient().evalSha('digest')))).toEqual(notConnected)
  })

  it.each([
    new ClientClosedError(),
    new ClientOfflineError(),
    new ConnectionTimeoutError(),
    new DisconnectsClientError(),
    new ReconnectStrategyError(new ClientClosedError(), new Error('x')),
    new RootNodesUnavailableError(),
    new SocketClosedUnexpectedlyError(),
    ...[
      'Connection is closed.',
      'None of startup nodes is available',
      'Cluster is disconnected.',
      'Cluster is disconnecting.',
      'Node is disconnected',
      "Stream isn't writeable and enableOfflineQueue options is false",
      "Cluster isn't ready and enableOfflineQueue options is false",
    ].map((text) => new Error(text)),
  ])('says that there is no connection: %s', (error) => {
    expect(failureOf(error)).toEqual(notConnected)
    // Only as a whole: an error of something else may quote one.
    for (const text of [`alice: ${error.message}`, `${error.message} (hunter2)`]) {
      expect(failureOf(new Error(text))).toEqual(unknown)
    }
  })

  it.each([
    new SocketTimeoutError(500),
    new SocketTimeoutDuringMaintenanceError(500),
    new CommandTimeoutDuringMaintenanceError(500),
    new Error("Socket timeout. Expecting data, but didn't receive any in 500ms."),
  ])('says that there was no answer in time: %s', (error) => {
    expect(failureOf(error)).toEqual(timedOut)
    expect(failureOf(new Error(`alice: ${error.message}`))).toEqual(unknown)
  })

  it('has the code of what it could not reach', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
    expect(failureOf(error)).toEqual(advising('ECONNREFUSED', 'is it running'))
  })
})

describe('an error of the state', () => {
  it('keeps its failure, and says it in words, with the error that caused it', () => {
    const cause = new Error('hunter2')
    const error = unavailable(tooManyWaiting, cause)
    expect(error).toMatchObject({ code: 'ERR_STATE_UNAVAILABLE', cause })
    expect(error.message).toMatch(/^Redis cannot answer \(overload\): too many decisions are waiting/)
    expect(failureOf(error)).toBe(tooManyWaiting)
  })

  it('says that a reply was unexpected', () => {
    const error = new UnexpectedReplyError()
    expect(error.message).toBe('the script returned something unexpected')
    expect(failureOf(error)).toEqual(advising('unexpected-reply', 'proxy'))
  })
})
