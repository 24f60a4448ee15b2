import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'
import type { TOTPServerAuthScheme } from '../../src/server/index.js'
import { temporaryFolder } from '../support/folder.js'
import { headersOf, requestWith } from '../support/guarded.js'
import { describeWith, runPython } from '../support/python.js'
import { hasRedis, RedisServer } from '../support/redis-server.js'
import { serverFile } from '../support/server-file.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder()
const redisPresent = hasRedis({ requiredInCi: true })

it('docs/state.md: the lines for Redis make a scheme that asks it', { skip: !redisPresent }, async () => {
  const server = await RedisServer.start()
  const file = join(folder, 'billing.json')
  writeFileSync(file, JSON.stringify(serverFile()), { mode: 0o600 })
  const [, code = ''] = /```ts\n(.*?)```/s.exec(readFileSync(join(root, 'docs/state.md'), 'utf8')) ?? []
  const own = code
    .replace("'billing.json'", JSON.stringify(file))
    .replace('redis://127.0.0.1:6379', `redis://127.0.0.1:${server.port}`)
  const outfile = join(folder, 'page.cjs')
  await build({
    stdin: { contents: `${own}\nexport { scheme, redis }`, loader: 'ts', resolveDir: root },
    alias: { 'a2a-totp/server/redis': './src/server/redis.ts', 'a2a-totp/server': './src/server/index.ts' },
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
  })
  const page = createRequire(import.meta.url)(outfile) as {
    scheme: TOTPServerAuthScheme
    redis: { disconnect(): void }
  }
  onTestFinished(async () => {
    page.scheme.close()
    page.redis.disconnect()
    await server.stop()
  })

  const ask = async (): Promise<string | undefined> => {
    const { caller, refusal } = await page.scheme.authenticate(requestWith(headersOf('alice', new Date())))
    return caller?.peer ?? refusal?.reason
  }
  await expect.poll(ask).toBe('alice')
  await server.crash()
  expect(await ask()).toBe('guard-failed')
})

describeWith('a2a-1', 'docs/state.md in Python', () => {
  it('has the lines for Redis, which make a scheme that asks it', { skip: !redisPresent }, async () => {
    const server = await RedisServer.start()
    onTestFinished(() => server.stop())
    const file = join(folder, 'python.json')
    writeFileSync(file, JSON.stringify(serverFile()), { mode: 0o600 })
    const [, code = ''] = /```python\n(.*?)```/s.exec(readFileSync(join(root, 'docs/state.md'), 'utf8')) ?? []
    const own = code
      .replace('"billing.json"', JSON.stringify(file))
      .replace('redis://127.0.0.1:6379', `redis://127.0.0.1:${server.port}`)
    const fields = JSON.stringify(Object.entries(headersOf('alice', new Date())))
    const asking = `
import asyncio
from a2a_totp.scheme.request import AuthRequest

async def ask():
    outcome = await scheme.authenticate(AuthRequest([tuple(field) for field in ${fields}], "192.0.2.1", "POST", "/a2a"))
    print(outcome.peer, type(outcome).__name__, await redis.exists("{my-agent}:begun") or await redis.dbsize())
    await redis.aclose()

asyncio.run(ask())
`
    const said = runPython('a2a-1', ['-c', own + asking], { env: { PYTHONPATH: 'python/src' } })
    expect(said.trim()).toBe('alice Caller 1')
  })
})
