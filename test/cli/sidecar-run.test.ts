import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-sidecar-'))
const script = join(folder, 'fake.cjs')

beforeAll(async () => {
  const entry = fileURLToPath(new URL('../support/fake-sidecar.ts', import.meta.url))
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

class Running {
  readonly child: ChildProcess
  out = ''
  said = ''
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [script, 'fake', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '' },
    })
    this.#closed = once(this.child, 'close')
    onTestFinished(() => void this.child.kill('SIGKILL'))
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()))
    this.child.stderr?.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
  }

  async hasSaid(what: string, times = 1): Promise<void> {
    await expect.poll(() => this.said.split(what).length - 1).toBeGreaterThanOrEqual(times)
  }

  async url(): Promise<string> {
    await expect.poll(() => this.out).toContain('\n')
    return /http:[^"\n]+/.exec(this.out)?.[0] ?? ''
  }

  async ended(): Promise<{ code: number | null; signal: string | null }> {
    // Its exit comes before the last of what it said.
    await this.#closed
    return { code: this.child.exitCode, signal: this.child.signalCode }
  }
}

/** The head of an answer, which may go on. */
const answerOf = (url: string): Promise<IncomingMessage> =>
  new Promise((done, fail) => get(url, { agent: false }, done).on('error', fail))

describe('a sidecar that runs', () => {
  it('prints the URL of each listener once it is ready', async () => {
    const sidecar = new Running([])
    const url = await sidecar.url()
    expect(sidecar.out).toBe(`${url}\nhttp://127.0.0.1:1\n`)
    await sidecar.hasSaid('gate listens\nadmin listens\n')
    expect(await text(await answerOf(`${url}/`))).toBe('done')
  })

  it('prints one JSON document', async () => {
    const sidecar = new Running(['--json'])
    const url = await sidecar.url()
    expect(JSON.parse(sidecar.out)).toEqual({
      listeners: [
        { role: 'gate', url, agent: 'billing' },
        { role: 'admin', url: 'http://127.0.0.1:1', agent: 'billing' },
      ],
    })
  })

  it('prints nothing on stdout if it cannot start', async () => {
    const sidecar = new Running(['--broken'])
    expect(await sidecar.ended()).toEqual({ code: 70, signal: null })
    expect(sidecar.out).toBe('')
  })
})

describe.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s', (signal, code) => {
  it('lets running calls end, accepts nothing new, and then ends it', async () => {
    const sidecar = new Running([])
    const url = await sidecar.url()
    const stream = await answerOf(`${url}/stream`)
    sidecar.child.kill(signal)
    await sidecar.hasSaid('draining')
    await expect(answerOf(`${url}/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(sidecar.child.exitCode).toBeNull()
    stream.destroy()
    expect(await sidecar.ended()).toEqual({ code, signal: null })
    expect(sidecar.said).toMatch(/draining\nstopped\n$/)
  })

  it('cuts off what is left after the time to drain', async () => {
    const sidecar = new Running(['--drain', '100'])
    const stream = await answerOf(`${await sidecar.url()}/stream`)
    sidecar.child.kill(signal)
    await expect(text(stream)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await sidecar.ended()).toEqual({ code, signal: null })
  })

  it('ends it at once the second time', async () => {
    const sidecar = new Running([])
    const stream = await answerOf(`${await sidecar.url()}/stream`)
    stream.on('error', () => undefined)
    sidecar.child.kill(signal)
    await sidecar.hasSaid('draining')
    sidecar.child.kill(signal)
    expect(await sidecar.ended()).toEqual({ code, signal: null })
    expect(sidecar.said).not.toContain('stopped')
  })

  it('ends it while it starts', async () => {
    const sidecar = new Running(['--slow', '60000'])
    await sidecar.hasSaid('starting')
    sidecar.child.kill(signal)
    expect(await sidecar.ended()).toEqual({ code, signal: null })
    expect(sidecar.out).toBe('')
  })
})

describe('SIGHUP', () => {
  it('makes it read its files anew, and never ends it, although one is broken', async () => {
    const sidecar = new Running([])
    const url = await sidecar.url()
    const stream = await answerOf(`${url}/stream`)
    for (let times = 1; times <= 5; times++) {
      sidecar.child.kill('SIGHUP')
      await sidecar.hasSaid('reload ends', times)
    }
    await answerOf(`${url}/`)
    expect(await text(stream)).toBe('firstlast')
    expect(sidecar.child.exitCode).toBeNull()
  })

  it('is heard during the start, and once it is ready the files are read anew', async () => {
    const sidecar = new Running(['--slow', '300'])
    await sidecar.hasSaid('starting')
    sidecar.child.kill('SIGHUP')
    await sidecar.url()
    await sidecar.hasSaid('reload ends')
  })

  it('means one more reading, however often it comes while there is one', async () => {
    const sidecar = new Running(['--held'])
    const url = await sidecar.url()
    sidecar.child.kill('SIGHUP')
    await sidecar.hasSaid('reload begins')
    for (let n = 0; n < 5; n++) sidecar.child.kill('SIGHUP')
    for (let reading = 1; reading <= 2; reading++) {
      await sidecar.hasSaid('reload begins', reading)
      await answerOf(`${url}/`)
      await sidecar.hasSaid('reload ends', reading)
    }
    sidecar.child.kill('SIGTERM')
    await sidecar.ended()
    const readings = sidecar.said.match(/reload (begins|ends)/g) ?? []
    expect(readings.slice(0, 4).join()).toBe('reload begins,reload ends,reload begins,reload ends')
    // The request may overtake the last signals: they ask for a third.
    expect(readings.length).toBeLessThanOrEqual(5)
  })
})

it('goes on when the reader of its first line leaves', async () => {
  const sidecar = new Running(['--json'])
  const url = await sidecar.url()
  sidecar.child.stdout?.destroy()
  sidecar.child.kill('SIGHUP')
  await sidecar.hasSaid('reload ends')
  expect(await text(await answerOf(`${url}/`))).toBe('done')
})

it('ends quietly if nothing reads its first line', async () => {
  const sidecar = new Running(['--slow', '300'])
  await sidecar.hasSaid('starting')
  sidecar.child.stdout?.destroy()
  expect(await sidecar.ended()).toEqual({ code: 0, signal: null })
  expect(sidecar.said).not.toContain('error')
})
