import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthEvent } from '../../src/server/index.js'
import { fromIoredis, fromNodeRedis, redisState, type RedisPort } from '../../src/server/redis.js'
import { fakeRedis, type Says } from '../support/fake-redis.js'
import { Clock, headersOf, requestWith, schemeFor, someInstant } from '../support/guarded.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { inStep, signed, someStep } from './attempts.js'

const redisPresent = hasRedis()

/** The time-out is not what these tests are about. */
const patient = { timeoutMs: 5000 }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Login {
  readonly username?: string
  readonly password?: string
}

/** Both clients as their users make them; they go on connecting if they cannot, and so are not waited for. */
const connect = {
  ioredis(port: number, login: Login = {}): RedisPort {
    const client = new Redis({ port, host: '127.0.0.1', ...login })
    client.on('error', () => undefined)
    closing.push(() => client.disconnect())
    return fromIoredis(client)
  },
  'node-redis'(port: number, login: Login = {}): RedisPort {
    const client = createClient({ socket: { port, host: '127.0.0.1' }, ...login })
    client.on('error', () => undefined)
    void client.connect().catch(() => undefined)
    closing.push(() => client.destroy())
    return fromNodeRedis(client)
  },
}
const names = Object.keys(connect) as (keyof typeof connect)[]

async function startRedis(...options: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...options)
  closing.push(() => server.stop())
  return server
}

/** Runs commands as the owner of the server does. */
async function run(port: number, ...commands: [string, ...string[]][]): Promise<void> {
  const admin = new Redis({ port, host: '127.0.0.1' })
  for (const [command, ...words] of commands) await admin.call(command, ...words)
  admin.disconnect()
}

/** The event of a right code, with a scheme whose state asks that client. */
async function eventWith(port: RedisPort, timeoutMs = 5000): Promise<AuthEvent> {
  const { scheme, events } = schemeFor(new Clock(), {
    replay: 'once',
    state: redisState(port, { timeoutMs, prefix: 'billing', now: () => someInstant }),
  })
  const { refusal } = await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
  expect(refusal).toMatchObject({ kind: 'unavailable' })
  const [event, ...others] = events
  expect(others).toEqual([])
  if (!event) throw new Error('there is no event')
  return event
}

const failed = (cause: string, advice: string): object => ({
  type: 'refused',
  reason: 'guard-failed',
  peer: 'alice',
  cause,
  advice: expect.stringContaining(advice) as string,
})

describe.each(names)('the event of a 503 from Redis, with %s', { skip: !redisPresent }, (name) => {
  const all = ['~{billing}:*', '+@all'] as const
  const app = { username: 'app', password: 'hunter2' }
  const withUser =
    (...rules: string[]) =>
    (port: number) =>
      run(port, ['ACL', 'SETUSER', 'app', 'on', '>hunter2', ...rules])

  it.each<
    [cause: string, advice: string, why: string, prepare: (port: number) => Promise<void>, login?: Login]
  >([
    ['NOPERM', '+evalsha', 'its user may not run scripts', withUser(...all, '-eval', '-evalsha'), app],
    ['NOPERM', '~{billing}:*', 'its user may not use the keys', withUser('+@all', '~{other}:*'), app],
    ['NOPERM', '+zrange', 'its user may not use a command', withUser(...all, '-zrange', '-get'), app],
    ['NOPERM', '~{billing}:*', 'its user may only read', withUser('+@all', '%R~{billing}:*'), app],
    ['READONLY', 'primary', 'it is a replica', (port) => run(port, ['REPLICAOF', '127.0.0.1', '1'])],
    [
      'OOM',
      'maxmemory',
      'it is full',
      (port) =>
        run(port, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'], ['CONFIG', 'SET', 'maxmemory', '1']),
    ],
    [
      'NOREPLICAS',
      'min-replicas-to-write',
      'it has too few replicas',
      (port) => run(port, ['CONFIG', 'SET', 'min-replicas-to-write', '1']),
    ],
    [
      'WRONGTYPE',
      '~{billing}:*',
      'the keys are used by others',
      async (port) => {
        const admin = new Redis({ port, host: '127.0.0.1' })
        // The script's own keys, which it is asked for once.
        await eventless(connect[name](port))
        for (const key of await admin.keys('{billing}:*')) {
          await admin.del(key)
          await admin.call('SADD', key, 'x')
        }
        admin.disconnect()
      },
    ],
  ])('names %s, and %s, where %s', async (cause, advice, _why, prepare, login) => {
    const { port } = await startRedis()
    await prepare(port)
    expect(await eventWith(connect[name](port, login))).toMatchObject(failed(cause, advice))
  })

  /** One decision, whose keys stay. */
  async function eventless(port: RedisPort): Promise<void> {
    const { scheme } = schemeFor(new Clock(), {
      replay: 'once',
      state: redisState(port, { timeoutMs: 5000, prefix: 'billing', now: () => new Date(0) }),
    })
    await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
  }

  it('asks for permissions that are enough, and have no category', async () => {
    const { port } = await startRedis()
    await withUser('+ping')(port)
    const event = await eventWith(connect[name](port, app))
    const { advice = '' } = event as { advice?: string }
    const rules = advice.split(/[\s,]+/).filter((word) => /^[+~]/.test(word))
    expect(rules).toContain('+evalsha')
    expect(rules.filter((rule) => rule.includes('@'))).toEqual([])
    await withUser(...rules)(port)
    const { scheme } = schemeFor(new Clock(), {
      replay: 'once',
      state: redisState(connect[name](port, app), {
        timeoutMs: 5000,
        prefix: 'billing',
        now: () => new Date(0),
      }),
    })
    const { caller } = await scheme.authenticate(requestWith(headersOf('alice', someInstant)))
    expect(caller?.peer).toBe('alice')
  })

  it('asks for what a signed request needs too: each single permission, and no other', async () => {
    const { port } = await startRedis()
    await withUser('+ping')(port)
    const { advice = '' } = (await eventWith(connect[name](port, app))) as { advice?: string }
    await withUser(...advice.split(/[\s,]+/).filter((word) => /^[+~]/.test(word)))(port)
    const state = redisState(connect[name](port, app), {
      ...patient,
      prefix: 'billing',
      now: () => new Date(0),
    })
    const old = { at: inStep(someStep) }
    expect(await state.decide(signed(someStep, old))).toEqual({ kind: 'accepted' })
    // Looks for what is over, too, and raises the claim.
    const late = { at: new Date(inStep(someStep).getTime() + 3_600_000) }
    const admin = new Redis({ port, host: '127.0.0.1' })
    const [index = ''] = await admin.keys('*:nonces:??????????????????????')
    for (const field of await admin.hkeys(index)) await admin.hset(index, field, '1')
    admin.disconnect()
    expect(await state.decide(signed(someStep + 120, late))).toEqual({ kind: 'accepted' })
    for (const command of ['hgetall', 'hset', 'hdel', 'sadd', 'sismember', 'scard', 'unlink', 'time']) {
      expect(advice).toContain(`+${command}`)
    }
  })

  it('names what concerns the password where none is given', async () => {
    const { port } = await startRedis()
    await run(port, ['CONFIG', 'SET', 'requirepass', 'hunter2'])
    const event = await eventWith(connect[name](port), 500)
    expect(event).toMatchObject(
      failed(expect.stringMatching(/^(NOAUTH|WRONGPASS|no-connection)$/) as never, 'password'),
    )
  })

  it('names what concerns the password where a wrong one is given', async () => {
    const { port } = await startRedis()
    await run(port, ['CONFIG', 'SET', 'requirepass', 'hunter2'])
    const event = await eventWith(connect[name](port, { password: 'hunter3' }), 500)
    expect(event).toMatchObject(
      failed(expect.stringMatching(/^(NOAUTH|WRONGPASS|no-connection)$/) as never, 'password'),
    )
    expect(JSON.stringify(event)).not.toContain('hunter')
  })

  it('tells a server that hangs from one that is gone', async () => {
    const server = await startRedis()
    const client = connect[name](server.port)
    await client.eval('return 1', [], '')
    await server.freeze()
    expect(await eventWith(client, 300)).toMatchObject(failed('timeout', 'in time'))
    await server.thaw()
    await server.crash()
    await expect.poll(() => client.isConnected?.()).toBe(false)
    expect(await eventWith(client, 300)).toMatchObject(failed('no-connection', 'is it running'))
  })

  it('names CLUSTERDOWN, where the slot has no node', async () => {
    const { port } = await startRedis('--cluster-enabled', 'yes')
    expect(await eventWith(connect[name](port))).toMatchObject(failed('CLUSTERDOWN', 'slot'))
  })

  it('names BUSY, where another script runs for ever', async () => {
    const { port } = await startRedis('--busy-reply-threshold', '1')
    const client = connect[name](port)
    await client.eval('return 1', [], '')
    const other = new Redis({ port, host: '127.0.0.1' })
    const killer = new Redis({ port, host: '127.0.0.1' })
    await killer.ping()
    const endless = other.eval('while true do end', 0).catch(() => undefined)
    await expect.poll(() => killer.ping().catch(String)).toContain('BUSY')
    expect(await eventWith(client)).toMatchObject(failed('BUSY', 'SCRIPT KILL'))
    await killer.call('SCRIPT', 'KILL')
    await endless
    other.disconnect()
    killer.disconnect()
  })
})

describe.each(names)('the event of a 503, where a server says what Redis may say, with %s', (name) => {
  const secret = 'hunter2 of user alice-of-billing at {key}'
  /** EVALSHA and EVAL answered alike, or as by a server that does not know the script yet. */
  const answering =
    (text: string, sha = text): Says =>
    (command) =>
      command === 'EVALSHA' ? `-${sha}` : command === 'EVAL' ? `-${text}` : undefined
  const noScript = 'NOSCRIPT No matching script. Please use EVAL.'

  it.each([
    [
      'version',
      answering(
        "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
        noScript,
      ),
    ],
    ['version', answering('ERR unknown command `evalsha`, with args beginning with: `hunter2`')],
    ['version', answering("ERR unknown command 'eval'", noScript)],
    ['maxclients', answering('ERR max number of clients reached')],
    ['unknown', answering(`ERR ${secret}`)],
    ['unknown', answering(`HUNTER2 ${secret}`)],
    ['unknown', answering(`NOPERMISSION ${secret}`)],
    ...[
      ...['CLUSTERDOWN', 'CROSSSLOT', 'DENIED', 'LOADING', 'MASTERDOWN', 'MISCONF', 'NOAUTH', 'NOPERM'],
      ...['NOREPLICAS', 'OOM', 'READONLY', 'TRYAGAIN', 'UNKILLABLE', 'WRONGPASS', 'WRONGTYPE', 'BUSY'],
    ].map((cause): [string, Says] => [cause, answering(`${cause} ${secret}`)]),
    ['MOVED', answering('MOVED 1234 192.0.2.7:6379')],
    ['NOSCRIPT', answering(noScript)],
    ['unexpected-reply', (command) => (command.startsWith('EVAL') ? '$7\r\nhunter2' : undefined)],
  ] satisfies [string, Says][])('names %s, and quotes nothing', async (cause, says) => {
    const server = await fakeRedis(says)
    closing.push(() => server.close())
    const event = await eventWith(connect[name](server.port))
    expect(event).toMatchObject({ reason: 'guard-failed', cause, advice: expect.any(String) as string })
    expect(JSON.stringify(event)).not.toMatch(/hunter2|HUNTER2|alice-of|\{key\}|192\.0\.2\.7|user_script/)
  })
})
