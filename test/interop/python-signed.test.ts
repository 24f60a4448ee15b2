import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SendMessageRequest } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'
import { totpTransports } from '../../src/client/a2a.js'
import { BearerTokenAuth, TOTPClientAuthScheme, totpFetch } from '../../src/client/index.js'
import { signedPolicies, type SignedPolicy } from '../../src/core/proof/profile.js'
import { aliceVariables, makeAgentFolder } from '../support/agent-folder.js'
import { makeStore, runBinary } from '../support/cli.js'
import { readByDotenv } from '../support/env-readers.js'
import {
  describeWith,
  firstLineOf,
  installed,
  lastLineOf,
  pythonTests,
  startPython,
} from '../support/python.js'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: {
    started: number
    whole: number
    sha256: string
    length: number
    proof: string
    peakKiB: number
  }
}

/** A request as our client makes it. */
interface Captured {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const run = async (cwd: string, ...args: string[]): Promise<void> => {
  const { exitCode, stderr } = await runBinary(args, { cwd })
  if (exitCode !== 0) throw new Error(stderr)
}

/** An agent with a peer under each policy, named after it, all of them `reuse`. */
async function startAgent(): Promise<{
  url: string
  clientOf: (policy: SignedPolicy) => TOTPClientAuthScheme
}> {
  const cwd = await makeStore([...signedPolicies])
  for (const policy of signedPolicies) {
    await run(cwd, 'set', policy, '--signed', policy)
    await run(cwd, 'config', 'client', policy, '--format', 'env', '--out', `${policy}.env`)
  }
  await run(cwd, 'config', 'server', '--format', 'json', '--out', 'server.json')
  const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
  const agent = startPython('a2a-1', [`${pythonTests}agent_signed.py`], { ...installed('package', cwd), env })
  const { url } = JSON.parse(await firstLineOf(agent)) as { url: string }
  const clientOf = (policy: SignedPolicy): TOTPClientAuthScheme => {
    const variables = readByDotenv(readFileSync(join(cwd, `${policy}.env`), 'utf8'))
    const { A2A_TOTP_TOKEN: token = '', A2A_TOTP_SEED: seed = '', A2A_TOTP_AGENT: agentName = '' } = variables
    return new TOTPClientAuthScheme({
      delegate: new BearerTokenAuth(token),
      seed,
      agent: agentName,
      signed: policy,
    })
  }
  return { url, clientOf }
}

/** What our client would send, without sending it. */
async function capture(scheme: TOTPClientAuthScheme, url: string, init: RequestInit): Promise<Captured> {
  let captured: Captured | undefined
  const fetch = totpFetch(scheme, {
    fetch: async (input, options) => {
      const request = new Request(input, options)
      const headers = Object.fromEntries(request.headers)
      captured = { url, method: request.method, headers, body: Buffer.from(await request.arrayBuffer()) }
      return new Response('{}')
    },
  })
  await fetch(url, init)
  if (!captured) throw new Error('nothing was sent')
  return captured
}

/** Sends exactly that, the body in so many pieces; one piece has a Content-Length. */
function send({ url, method, headers }: Captured, ...pieces: Buffer[]): Promise<Answer> {
  return new Promise((done, fail) => {
    const framing: Record<string, string> =
      pieces.length > 1
        ? { 'transfer-encoding': 'chunked' }
        : pieces.length === 1
          ? { 'content-length': String(pieces[0]?.length) }
          : {}
    const req = httpRequest(url, { method, headers: { ...headers, ...framing }, agent: false }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      res.on('end', () => {
        done({ status: res.statusCode ?? 0, headers: res.headers, body: JSON.parse(text) as Answer['body'] })
      })
    })
    req.on('error', fail)
    for (const piece of pieces) req.write(piece)
    req.end()
  })
}

/** Over a connection of its own: uvicorn closes one that idles while this process makes a long body. */
const seenBy = async (url: string): Promise<Answer['body']> =>
  (await (await fetch(`${url}/seen`, { headers: { connection: 'close' } })).json()) as Answer['body']

const post = (body: string | Buffer): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'A2A-Version': '1.0' },
  body: new Uint8Array(Buffer.from(body)),
})

const usesProofs = (policy: SignedPolicy): boolean => policy === 'accept' || policy === 'require'

describeWith('a2a-1', 'an agent on uvicorn behind the middleware, called by our client', () => {
  it.each(signedPolicies)('does with signed requests what %s says', async (policy) => {
    const { url, clientOf } = await startAgent()
    const scheme = clientOf(policy)
    const refused = usesProofs(policy) ? 401 : 200
    const proof = usesProofs(policy) ? 'signed' : 'code'
    const target = `${url}/a%2Fb/c?x=%20&y`

    const live = totpFetch(scheme)
    const answer = await live(target, post('{"a":"é"}'))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({
      proof,
      sha256: createHash('sha256').update('{"a":"é"}').digest('hex'),
    })
    expect((await live(target)).status).toBe(200)
    expect((await live(target, { method: 'DELETE' })).status).toBe(200)

    // Captured on its way, and sent twice.
    const captured = await capture(scheme, target, post('{"to":"alice"}'))
    expect(captured.headers['signature-input']).toContain('a2a-totp=')
    expect((await send(captured, captured.body)).status).toBe(200)
    expect((await send(captured, captured.body)).status).toBe(refused)

    // Changed on its way: the body, in one piece and in several, the target, a field, the proof.
    const before = await seenBy(url)
    const other = Buffer.from('{"to":"mallory"}')
    const fresh = (): Promise<Captured> => capture(scheme, target, post('{"to":"alice"}'))
    expect((await send(await fresh(), other)).status).toBe(refused)
    expect((await send(await fresh())).status).toBe(refused)
    const halves = [other.subarray(0, 5), Buffer.alloc(300_000, 32), other.subarray(5)]
    const changed = await send(await fresh(), ...halves)
    expect(changed.status).toBe(refused)
    expect((await send({ ...(await fresh()), url: `${url}/a%2fb/c?x=%20&y` }, captured.body)).status).toBe(
      refused,
    )
    const { headers } = await fresh()
    const versioned = { ...captured, headers: { ...headers, 'a2a-version': '0.3' } }
    expect((await send(versioned, captured.body)).status).toBe(refused)
    const after = await seenBy(url)
    if (usesProofs(policy)) {
      expect(after.whole).toBe(before.whole)
      expect(changed.headers['www-authenticate']).toContain('TOTP realm="a2a"')
    }

    // Its code alone.
    const { signature, 'signature-input': input, ...stripped } = (await fresh()).headers
    expect([signature, input].every((value) => typeof value === 'string')).toBe(true)
    const alone = await send({ ...captured, headers: stripped }, captured.body)
    expect(alone.status).toBe(policy === 'require' ? 401 : 200)
  })

  it('lets one in of 64 equal requests at once', async () => {
    const { url, clientOf } = await startAgent()
    const captured = await capture(clientOf('require'), `${url}/`, post('{}'))
    const answers = await Promise.all(Array.from({ length: 64 }, () => send(captured, captured.body)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(63).fill(401)])
  })

  it('keeps nothing of a long body', async () => {
    const { url, clientOf } = await startAgent()
    const scheme = clientOf('require')
    const long = Buffer.alloc(64 * 1024 * 1024, 'a')
    const { peakKiB } = await seenBy(url)
    const captured = await capture(scheme, `${url}/`, post(long))
    const pieces = Array.from({ length: 64 }, (_, at) => long.subarray(at << 20, (at + 1) << 20))
    const answer = await send(captured, ...pieces)
    expect(answer).toMatchObject({ status: 200, body: { length: long.length, proof: 'signed' } })
    expect(answer.body.peakKiB - peakKiB).toBeLessThan(24 * 1024)
    // One bit at the end is another one.
    const again = await capture(scheme, `${url}/`, post(long))
    const { whole } = await seenBy(url)
    expect((await send(again, ...pieces.slice(0, -1), Buffer.alloc(1 << 20, 'b'))).status).toBe(401)
    expect((await seenBy(url)).whole).toBe(whole)
  })

  it('is called as often as wanted under once and the defaults of init, with one code', async () => {
    const cwd = await makeStore(['alice'], ['--replay', 'once'])
    await run(cwd, 'config', 'server', '--format', 'json', '--out', 'server.json')
    await run(cwd, 'config', 'client', 'alice', '--format', 'env', '--out', 'alice.env')
    const variables = readByDotenv(readFileSync(join(cwd, 'alice.env'), 'utf8'))
    expect(variables['A2A_TOTP_SIGNED']).toBe('accept')
    const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
    const agent = startPython('a2a-1', [`${pythonTests}agent_signed.py`], {
      ...installed('package', cwd),
      env,
    })
    const { url } = JSON.parse(await firstLineOf(agent)) as { url: string }
    const scheme = new TOTPClientAuthScheme({
      delegate: new BearerTokenAuth(variables['A2A_TOTP_TOKEN'] ?? ''),
      seed: variables['A2A_TOTP_SEED'] ?? '',
      agent: variables['A2A_TOTP_AGENT'] ?? '',
      signed: 'accept',
    })
    const send20 = Array.from({ length: 20 }, () => totpFetch(scheme)(`${url}/`, post('{}')))
    expect((await Promise.all(send20)).map(({ status }) => status)).toEqual(Array(20).fill(200))
  })
})

for (const [venv, program] of [
  ['a2a-0.3', 'agent_0_3.py'],
  ['a2a-1', 'agent_1_x.py'],
] as const) {
  describeWith(venv, `an agent on ${venv} that requires proofs, with once`, () => {
    async function startSdkAgent(): Promise<{ cwd: string; card: string }> {
      const cwd = await makeAgentFolder(['--replay', 'once', '--signed', 'require'])
      const env = { A2A_TOTP_SERVER_FILE: join(cwd, 'server.json') }
      const agent = startPython(venv, [pythonTests + program], { ...installed('package', cwd), env })
      const { card } = JSON.parse(await firstLineOf(agent)) as { card: string }
      return { cwd, card }
    }

    it('is called by the TypeScript client over every binding, and streams to it', async () => {
      const { cwd, card } = await startSdkAgent()
      const {
        A2A_TOTP_TOKEN: token = '',
        A2A_TOTP_SEED: seed = '',
        A2A_TOTP_AGENT: agent = '',
      } = aliceVariables(cwd)
      const scheme = new TOTPClientAuthScheme({
        delegate: new BearerTokenAuth(token),
        seed,
        agent,
        signed: 'require',
      })
      const message = (text: string): SendMessageRequest =>
        SendMessageRequest.fromJSON({ message: { messageId: text, role: 'ROLE_USER', parts: [{ text }] } })
      for (const binding of ['JSONRPC', 'HTTP+JSON', 'GRPC']) {
        const factory = new ClientFactory({ ...totpTransports(scheme), preferredTransports: [binding] })
        const client = await factory.createFromUrl(new URL(card).origin)
        expect(client.transport.protocolName).toBe(binding)
        expect(JSON.stringify(await client.sendMessage(message('hello')))).toContain('alice said: hello')
        const events: unknown[] = []
        for await (const event of client.sendMessageStream(message('stream'))) events.push(event)
        expect(JSON.stringify(events)).toContain('alice said: stream')
      }
    })

    it('is called by the Python client as its page says', async () => {
      const { cwd, card } = await startSdkAgent()
      const variables = aliceVariables(cwd)
      expect(variables['A2A_TOTP_SIGNED']).toBe('require')
      const page = [`${pythonTests}page_client.py`, new URL(card).origin]
      const codeWith = async (env: Readonly<Record<string, string>>): Promise<number> => {
        const { answer } = JSON.parse(
          await lastLineOf(startPython(venv, page, { ...installed('package', cwd), env })),
        ) as {
          answer: { error: { code: number } }
        }
        return answer.error.code
      }
      // It got as far as the agent, which has no such task.
      expect(await codeWith(variables)).toBe(-32001)
      expect(await codeWith({ ...variables, A2A_TOTP_SIGNED: '', A2A_TOTP_AGENT: '' })).toBe(401)
    })
  })
}
