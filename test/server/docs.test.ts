import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { status } from '@grpc/grpc-js'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bundled } from '../support/bundled.js'
import { canonicalAsReceived, verifiedOver } from '../support/card-signatures.js'
import {
  ask,
  blocksOf,
  both,
  expectGuarded,
  firstAgent,
  folder,
  printed,
  root,
  run,
  start,
} from '../support/docs-servers.js'
import { bearerOf, peers, wrongCodeOf } from '../support/guarded.js'
import { freePort } from '../support/free-ports.js'
import { callGrpc, messageFor, metadataOf, services, versionOf } from '../support/grpc-agent.js'
import { rawExchange } from '../support/http-frameworks.js'

/** Runs code that prints what a comment behind its last line says. */
async function expectPrinted(code: string): Promise<void> {
  const [, comment] = /^console\.log\(\w+\) \/\/ (.+)$/m.exec(code) ?? []
  const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: root })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  child.stdin.end(await bundled(code))
  expect([(await text(child.stdout)).trim(), await text(child.stderr)]).toEqual([comment, ''])
  await ended
}

const listener = /\n *onEvent: \(event\) => console\.log\(JSON\.stringify\(event\)\),/

/** 31 wrong codes with a live token, each a guess of its own. */
async function guess(port: number): Promise<void> {
  const statuses = new Set<number>()
  for (let which = 0; which < 31; which++) {
    const headers = { ...both(), 'X-TOTP': wrongCodeOf(new Date(), which) }
    statuses.add((await ask(port, headers)).status)
  }
  expect(statuses).toEqual(new Set([401, 429]))
}

/** All pages of servers; two are about something else. */
const pages = readdirSync(join(root, 'docs/server'))
  .map((name) => name.replace(/\.md$/, ''))
  .filter((page) => page !== 'card' && page !== 'streams')

describe('somebody hears of guesses', () => {
  it.each(pages)('docs/server/%s.md shows a listener wherever it makes a scheme', (page) => {
    const blocks = blocksOf(page).filter((code) => /TOTPServerAuthScheme[.(]/.test(code))
    expect(blocks.length).toBeGreaterThan(0)
    for (const code of blocks) expect(code).toContain('onEvent: (event) =>')
    const text = readFileSync(join(root, 'docs/server', `${page}.md`), 'utf8')
    expect(text).toMatch(/pino/)
    expect(text).toMatch(/OpenTelemetry/)
  })

  it('in the log of the server of express.md', async () => {
    await guess(await start('express'))
    const types = (): unknown[] =>
      Array.from(
        printed().output.matchAll(/^\{.*\}$/gm),
        ([line]) => (JSON.parse(line) as { type: string }).type,
      )
    await expect.poll(types).toContain('token_compromise_suspected')
    expect(printed().errors).toBe('')
  })

  it('on stderr, where the server of express.md has no listener', async () => {
    const port = await start('express', (code) => {
      expect(code).toMatch(listener)
      return code.replace(listener, '')
    })
    await guess(port)
    await expect
      .poll(() => printed().errors)
      .toMatch(/\[token_compromise_suspected\] TOTPWarning: .*"alice".*rotate/)
    expect(printed().output).toBe('')
  })
})

describe('docs/server', () => {
  it('scheme.md shows code that lets in whom it should, by maps and by a delegate of its own', async () => {
    const [maps = '', delegate = '', verdict = '', ...others] = blocksOf('scheme')
    expect(others).toEqual([])
    const { alice, bob } = peers
    const port = await run('scheme', maps, {
      ALICE_SEED: alice.seed.base32,
      ALICE_TOKEN: alice.token,
      BOB_SEED: bob.seed.base32,
      BOB_TOKEN: bob.token,
    })
    await expectGuarded(port, 'alice')
    await expectGuarded(await run('scheme', delegate), 'alice', 'Bearer opaque-of-alice')
    await expectPrinted(verdict)
  })

  it.each(['fetch', 'node', 'server-file'])('%s.md shows code that lets in whom it should', async (page) => {
    await expectGuarded(await start(page), 'alice')
  })

  it('express.md shows code that lets in whom it should, in both protocols, and serves the card', async () => {
    const port = await start('express')
    await expectGuarded(port, 'Task not found')
    const origin = `http://127.0.0.1:${port}`
    const older = await fetch(`${origin}/a2a/rest/v1/tasks/none`, { headers: both() })
    expect([older.status, await older.text()]).toEqual([404, expect.stringContaining('Task not found')])
    const card = await fetch(`${origin}/.well-known/agent-card.json`)
    expect([card.status, await card.text()]).toEqual([200, expect.stringContaining('X-TOTP')])
  })

  it('card.md shows code that serves a card whose signature verifies', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const file = join(folder, 'card-key.pem')
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    const [code = '', ...others] = blocksOf('card')
    expect(others).toEqual([])
    const port = await run('card', code.replace("'card-key.pem'", JSON.stringify(file)))
    const response = await fetch(`http://127.0.0.1:${port}/.well-known/agent-card.json`)
    const card = (await response.json()) as Record<string, unknown>
    expect(JSON.stringify(card)).toContain('X-TOTP')
    expect(await verifiedOver(canonicalAsReceived(card), card, publicKey)).toBe(1)
  })

  it('grpc.md shows code that lets in whom it should, and serves the card beside it', async () => {
    const cardPort = await freePort()
    const shown = readFileSync(join(root, 'docs/server/grpc.md'), 'utf8')
    const [, ofGrpc = ''] = /`\{ (url: '127\.0\.0\.1:8080', [^`]*) \}`/.exec(shown) ?? []
    const agent = firstAgent().replace(/url: '.*(?= \})/, ofGrpc)
    const port = await start('grpc', (code) => code.replace('8081', String(cardPort)), agent)
    const card = await fetch(`http://127.0.0.1:${cardPort}/.well-known/agent-card.json`)
    const text = await card.text()
    expect([card.status, text]).toEqual([200, expect.stringContaining('X-TOTP')])
    expect(text).toContain(`"url":"127.0.0.1:${port}"`)
    expect(text).toContain('"protocolBinding":"GRPC"')
    const getTask = async (fields: Record<string, string>): Promise<number> => {
      const metadata = metadataOf({ ...versionOf('1.0'), ...fields })
      const message = messageFor('1.0', 'getTask')
      return (await callGrpc(`127.0.0.1:${port}`, services['1.0'], 'getTask', message, metadata)).code
    }
    expect(await getTask({ Authorization: bearerOf('alice') })).toBe(status.UNAUTHENTICATED)
    expect(await getTask(both())).toBe(status.NOT_FOUND)
  })

  it('upgrades.md shows code that lets in whom it should, and hands over sockets only to them', async () => {
    const port = await start('upgrades')
    await expectGuarded(port, 'alice')
    const upgrade = (headers: Record<string, string>): Promise<string> => {
      const lines = Object.entries({ Host: 'a', Connection: 'Upgrade', Upgrade: 'websocket', ...headers })
      const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      return rawExchange(port, `GET /a2a HTTP/1.1\r\n${fields}\r\n`)
    }
    expect(await upgrade({})).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
    expect(await upgrade(both())).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\nalice')
  })

  it("jwt.md shows code that takes the issuer's tokens, and no others", async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] })
    const issuer = createServer((_, response) => void response.end(jwks)).listen(0, '127.0.0.1')
    onTestFinished(() => {
      issuer.closeAllConnections()
      issuer.close()
    })
    await once(issuer, 'listening')
    const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`
    const port = await start('jwt', (code) => code.replace('https://issuer.example/jwks.json', url))
    const token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('https://issuer.example')
      .setAudience('https://billing.example')
      .setExpirationTime('5m')
      .sign(privateKey)
    await expectGuarded(port, 'alice', `Bearer ${token}`)
    expect((await ask(port, both())).status).toBe(401)
  })
})
