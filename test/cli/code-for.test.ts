import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { digestOf } from '../../src/core/proof/digest.js'
import { ProofKey } from '../../src/core/proof/key.js'
import { longestLife, type SignedRequest } from '../../src/core/proof/profile.js'
import { readProof } from '../../src/core/proof/parse.js'
import type { ParsedProof } from '../../src/core/proof/profile.js'
import { verifyHead } from '../../src/core/proof/verify.js'
import { Seed } from '../../src/core/seed.js'
import { peerNamed } from '../../src/core/provision.js'
import { renderClientFragment } from '../../src/fragments/index.js'
import { demoRoster } from '../support/demo-roster.js'
import { binary, makeFolder, makeStore, parseJson, runCli, type CliOptions } from '../support/cli.js'
import { listening } from '../support/listening.js'

const env = {
  A2A_TOTP_SEED: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  A2A_TOTP_TOKEN: 'a2at_example',
  A2A_TOTP_AGENT: 'billing',
}
const seed = Seed.fromBase32(env.A2A_TOTP_SEED)
const at = new Date(1_800_000_015_000)
const now = at.getTime() / 1000
const post = ['--for', 'POST', 'https://agent.example/a2a']

const code = (args: readonly string[], options: Partial<CliOptions> = {}) =>
  runCli(['code', ...args], { cwd: makeFolder(), env, now: at, ...options })

type Line = readonly [name: string, value: string]

const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)

/** A request as a server sees it. */
const requestOf = (method: string, target: string, lines: readonly Line[]): SignedRequest => ({
  binding: 'http',
  method,
  target,
  header: (name) => lines.flatMap(([one, value]) => (one.toLowerCase() === name ? [value] : [])),
})

const rules = { agent: 'billing', header: 'x-totp', period: 30, window: 1 }

/** The verdict on the head and, where it is valid, the content. */
function verdictOn(request: SignedRequest, content: Uint8Array, key: ProofKey, when = at): string {
  const head = verifyHead(request, rules, [key], key, when)
  if (head.verdict === 'refused') return head.reason
  if (head.verdict === 'unsigned') return 'unsigned'
  return head.proof.digest.equals(digestOf('http', content)) ? 'valid' : 'proof-digest'
}

function proofIn(stdout: string, window = 1): ParsedProof {
  const read = readProof(requestOf('POST', '/a2a', linesOf(stdout)), { ...rules, window })
  if (read.kind !== 'parsed') throw new Error(JSON.stringify(read))
  return read.proof
}

describe('code --for', () => {
  it('prints the token, the code, the three lines of a proof, and those of --with', async () => {
    const run = await code([
      ...post,
      '--headers',
      '--with',
      'Content-Type: application/json',
      '--with',
      'X-Trace:  1 ',
    ])
    expect(run.exitCode).toBe(0)
    const lines = linesOf(run.stdout)
    expect(lines.map(([name]) => name)).toEqual([
      'X-TOTP',
      'Authorization',
      'Content-Digest',
      'Signature-Input',
      'Signature',
      'Content-Type',
      'X-Trace',
    ])
    expect(lines.slice(-2)).toEqual([
      ['Content-Type', 'application/json'],
      ['X-Trace', '1'],
    ])
    expect(lines[3]?.[1]).toMatch(/^a2a-totp=\([^)]* "content-type"\);created=1800000015;/)
    expect(verdictOn(requestOf('POST', '/a2a', lines), Buffer.alloc(0), new ProofKey(seed, 'billing'))).toBe(
      'valid',
    )
  })

  it.each([
    ['https://agent.example', '/'],
    ['https://agent.example?x=1', '/?x=1'],
    ['https://agent.example/?', '/'],
    ['HTTPS://agent.example/a%2Fb/?q=a%20b&c=%C3%A9#part', '/a%2Fb/?q=a%20b&c=%C3%A9'],
    ['http://[::1]:4100/a2a/rest/tasks/1', '/a2a/rest/tasks/1'],
  ])('signs the target of %s', async (url, target) => {
    const run = await code(['--for', 'get', url])
    const request = requestOf('GET', target, linesOf(run.stdout))
    expect(verdictOn(request, Buffer.alloc(0), new ProofKey(seed, 'billing'))).toBe('valid')
    expect(run.stderr.includes('fragment')).toBe(url.includes('#'))
  })

  it('signs the body byte for byte, from a file and from standard input', async () => {
    const cwd = makeFolder()
    const body = Buffer.concat([randomBytes(100_000), Buffer.from('\r\n\n')])
    writeFileSync(join(cwd, 'body'), body)
    const file = await code([...post, '--body', 'body'], { cwd })
    expect(proofIn(file.stdout).digest).toEqual(digestOf('http', body))
    const piped = await code([...post, '--body', '-'], { cwd, stdin: 'é\r\n\n' })
    expect(proofIn(piped.stdout).digest).toEqual(digestOf('http', Buffer.from('é\r\n\n')))
    expect(piped.stderr).toContain('no Content-Type is signed, so the request must have none')
    const typed = await code([...post, '--body', '-', '--with', 'content-type: text/plain'], { stdin: 'x' })
    expect(typed.stderr).not.toContain('no Content-Type')
  })

  it('makes a new proof each time, that lives as long as the window allows', async () => {
    const nonces = new Set<string>()
    for (const [window, life] of [
      [undefined, 30],
      ['0', 30],
      ['2', 90],
    ] as const) {
      const run = await code(post, { env: window === undefined ? env : { ...env, A2A_TOTP_WINDOW: window } })
      const { created, expires, nonce } = proofIn(run.stdout, 2)
      expect([created, expires - created]).toEqual([now, life])
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(3)
  })

  it('takes agent, window, header and seed from the store', async () => {
    const cwd = await makeStore(
      ['alice'],
      ['--agent', 'orders', '--window', '2', '--header', 'X-Code', '--period', '60'],
    )
    const run = await code(['alice', ...post], { cwd })
    const request = requestOf('POST', '/a2a', linesOf(run.stdout))
    const shown = await runCli(['show', 'alice', '--uri'], { cwd })
    const key = new ProofKey(Seed.fromBase32(/secret=([A-Z2-7]+)/.exec(shown.stdout)?.[1] ?? ''), 'orders')
    const own = { agent: 'orders', header: 'x-code', period: 60, window: 2 }
    const head = verifyHead(request, own, [key], key, at)
    expect(head.verdict).toBe('valid')
    if (head.verdict === 'valid')
      expect(head.proof.expires - head.proof.created).toBe(longestLife({ period: 60, window: 2 }))
  })

  it('is created at --at', async () => {
    const run = await code([...post, '--at', '59.9'])
    expect(linesOf(run.stdout)[0]).toEqual(['X-TOTP', '287082'])
    expect(proofIn(run.stdout)).toMatchObject({ created: 59, expires: 89 })
  })

  it('has all fields in headers of the document', async () => {
    const fields = ['--with', 'A2A-Extensions: urn:a', '--with', 'a2a-extensions: urn:b']
    const reading = parseJson(await code([...post, ...fields, '--json']))
    expect(reading).toMatchObject({
      peer: null,
      code: expect.stringMatching(/^\d{6}$/) as string,
      period: 30,
    })
    const headers = reading['headers'] as Record<string, string>
    expect(headers['A2A-Extensions']).toBe('urn:a, urn:b')
    const request = requestOf('POST', '/a2a', Object.entries(headers))
    expect(verdictOn(request, Buffer.alloc(0), new ProofKey(seed, 'billing'))).toBe('valid')
    const lines = linesOf((await code([...post, ...fields])).stdout)
    expect(lines.slice(-2)).toEqual([
      ['A2A-Extensions', 'urn:a'],
      ['a2a-extensions', 'urn:b'],
    ])
    expect(verdictOn(requestOf('POST', '/a2a', lines), Buffer.alloc(0), new ProofKey(seed, 'billing'))).toBe(
      'valid',
    )
  })

  it('implies --headers; with --header the Authorization line is left out, and signed all the same', async () => {
    const run = await code([...post, '--header'])
    expect(linesOf(run.stdout).map(([name]) => name)).toEqual([
      'X-TOTP',
      'Content-Digest',
      'Signature-Input',
      'Signature',
    ])
    const lines: Line[] = [...linesOf(run.stdout), ['Authorization', 'Bearer a2at_example']]
    expect(verdictOn(requestOf('POST', '/a2a', lines), Buffer.alloc(0), new ProofKey(seed, 'billing'))).toBe(
      'valid',
    )
  })

  it('takes the name before or after it', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    for (const args of [
      ['bob', ...post],
      [...post, 'bob'],
      [...post, '--headers', 'bob'],
      [...post, '--', 'bob'],
    ]) {
      expect(parseJson(await code(['--json', ...args], { cwd }))['peer']).toBe('bob')
    }
    expect(await code(['alice', ...post, 'bob'], { cwd })).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('waits for --min-remaining before it signs', async () => {
    const run = await code([...post, '--min-remaining', '10'])
    expect(proofIn(run.stdout).created).toBe(now)
  })
})

describe('code --for refuses', () => {
  it.each([
    [['--for', 'POST'], /write --for POST https:/],
    [['--for=POST', 'https://agent.example/'], /write --for POST https:/],
    [['--for', 'https://agent.example/', 'POST'], /method.*write --for POST https:/],
    [['--for', 'POST', 'agent.example/a2a'], /http or https URL/],
    [['--for', 'POST', '/a2a'], /http or https URL/],
    [['--for', 'POST', 'grpc://agent.example'], /http or https URL/],
    [['--for', 'POST', 'https://me:pw@agent.example/'], /without a user name/],
    [['--for', 'POST', 'https://agent.example/', 'alice', 'bob'], /takes a method and a URL/],
    [
      ['--for', 'POST', 'https://agent.example/', '--for', 'GET', 'https://agent.example/'],
      /takes a method and a URL/,
    ],
    [[...post, '--watch'], /--for and --watch/],
    [[...post, '--header', '--headers'], /--header and --headers/],
    [['--body', 'x'], /--body needs a request; pass --for METHOD URL/],
    [['--headers', '--with', 'A: b'], /--with needs a request/],
  ])('%j', async (args, message) => {
    const run = await code(args)
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(message)
    expect(run.stderr).not.toMatch(/pw@/)
  })

  it.each(['/a b', '/é', '/a/../b', '/a/%2e%2e/b', '/./a', "/?q='", '/a|"b"', '\\a', '/ x'])(
    'what clients send differently: %j',
    async (end) => {
      const run = await code(['--for', 'GET', `https://agent.example${end}`])
      expect(run).toMatchObject({ exitCode: 2, stdout: '' })
      expect(run.stderr).toMatch(/percent-encode its path and query|http or https URL/)
    },
  )

  it.each([
    'no colon',
    ': no name',
    'Two Words: x',
    'Empty:',
    'Blank: \t ',
    'Authorization: Bearer x',
    'x-totp: 123456',
    'content-digest: sha-256=:x:',
    'Signature: x',
    'SIGNATURE-INPUT: x',
    'Content-Encoding: gzip',
    'X: a\r\nY: b',
    'X: é',
    'X: a\u0000b',
    'X: ::error::x',
    'constructor',
  ])('--with %j', async (line) => {
    const run = await code([...post, '--with', 'A2A-Version: 1.0', '--with', line])
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(/^error: --with/)
    expect(run.stderr).not.toMatch(/123456|Bearer x/)
  })

  it('a field that is none of the profile, but an ordinary one, nowhere: constructor', async () => {
    expect((await code([...post, '--with', 'constructor: x'])).exitCode).toBe(0)
    expect((await code([...post, '--with', 'X: a::b', '--json'])).exitCode).toBe(0)
  })

  it('to sign for an agent whose name is not known, or without a token', async () => {
    const nameless = { ...env, A2A_TOTP_AGENT: '' }
    const run = await code(post, { env: nameless })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toMatch(/set \$A2A_TOTP_AGENT .*\(ERR_CANNOT_SIGN\)/)
    const odd = await code(post, { env: { ...env, A2A_TOTP_AGENT: 'a"b' } })
    expect(odd).toMatchObject({ exitCode: 3, stdout: '' })
    expect(odd.stderr).toMatch(/^error: \$A2A_TOTP_AGENT: .*\(ERR_CONFIG_INVALID\)/)
    const tokenless = await code([...post, '--header'], { env: { ...env, A2A_TOTP_TOKEN: '' } })
    expect(tokenless).toMatchObject({ exitCode: 2, stdout: '' })
    expect(tokenless.stderr).toContain('(ERR_TOKEN_MISSING)')
  })

  it('a body that cannot be read, without a word of it', async () => {
    const run = await code([...post, '--body', 'a2at_pasted'])
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toMatch(/--body .*\(ERR_FILE_UNREADABLE\)/)
    expect(run.stderr).not.toContain('a2at_pasted')
  })
})

const hasCurl = spawnSync('curl', ['--version']).status === 0

describe.skipIf(!hasCurl)('curl (skipped without it)', () => {
  /** A server that answers with its verdict. */
  async function verifier(key: ProofKey): Promise<string> {
    const server = createServer((req, res) => {
      const pieces: Buffer[] = []
      req.on('data', (piece: Buffer) => pieces.push(piece))
      req.on('end', () => {
        const { rawHeaders } = req
        const lines = rawHeaders.flatMap((name, n): Line[] =>
          n % 2 ? [] : [[name, rawHeaders[n + 1] ?? '']],
        )
        const request = requestOf(req.method ?? '', req.url ?? '', lines)
        res.end(`${verdictOn(request, Buffer.concat(pieces), key, new Date())}\n`)
      })
    })
    const { port, ...rest } = await listening(server)
    onTestFinished(() => rest[Symbol.asyncDispose]())
    return `http://127.0.0.1:${port}`
  }

  async function inShell(
    text: string,
    cwd: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<string> {
    const bin = join(cwd, '.bin')
    mkdirSync(bin, { recursive: true })
    if (!existsSync(join(bin, 'a2a-totp'))) symlinkSync(binary, join(bin, 'a2a-totp'))
    const own = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd, XDG_CACHE_HOME: '/dev/null' }
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', text], {
      cwd,
      env: { ...own, ...variables },
    })
    return stdout
  }

  it('sends what was signed', async () => {
    const url = `${await verifier(new ProofKey(seed, 'billing'))}/a2a/rpc?x=1`
    const cwd = makeFolder()
    writeFileSync(join(cwd, 'body'), '{"text":"é"}\n')
    const type = `--with 'Content-Type: application/json'`
    const sent = await inShell(
      [
        // Its code from the environment, its body from a pipe.
        `cat body | a2a-totp -q code --headers --for POST '${url}' --body - ${type} | curl -sH @- --data-binary @body '${url}'`,
        `a2a-totp -q code --for POST '${url}' --body body ${type} --with 'A2A-Version: 1.0' | curl -sH @- --data-binary @body '${url}'`,
        `a2a-totp -q code --for GET '${url}' | curl -sH @- '${url}'`,
        // curl removes line ends from --data, and adds a type to it.
        `a2a-totp -q code --for POST '${url}' --body body ${type} | curl -sH @- --data @body '${url}'`,
        `a2a-totp -q code --for POST '${url}' --body body | curl -sH @- --data-binary @body '${url}'`,
        `a2a-totp -q code --for POST '${url}' --body body ${type} | curl -sH @- --data-binary @body '${url}2'`,
      ].join('\n'),
      cwd,
      env,
    )
    expect(sent.trim().split('\n')).toEqual([
      'valid',
      'valid',
      'valid',
      'proof-digest',
      'proof-uncovered',
      'proof-mac',
    ])
  })

  it.each([true, false])(
    'runs what config client --format curl prints for a peer that has to sign',
    async (known) => {
      const cwd = await makeStore(['alice'], ['--agent', 'billing'])
      const shown = await runCli(['show', 'alice', '--uri'], { cwd })
      const own = Seed.fromBase32(/secret=([A-Z2-7]+)/.exec(shown.stdout)?.[1] ?? '')
      const url = `${await verifier(new ProofKey(own, 'billing'))}/a2a?tenant=o%27neil&x=$HOME`
      const roster = { ...demoRoster(new Date()), agent: 'billing', ...(known ? { url } : {}) }
      const peer = { ...peerNamed(roster, 'alice'), signed: 'require' as const }
      const { content } = await renderClientFragment('curl', { roster, peer, at: new Date() })
      writeFileSync(join(cwd, 'call.sh'), content)
      writeFileSync(join(cwd, 'request.json'), '{"jsonrpc":"2.0"}\n')
      const variables: Record<string, string> = known ? {} : { A2A_TOTP_URL: url }
      expect(await inShell('sh call.sh', cwd, variables)).toBe('valid\n')
      // What cannot be signed is not sent.
      rmSync(join(cwd, 'request.json'))
      await expect(inShell('sh call.sh', cwd, variables)).rejects.toMatchObject({ code: 3, stdout: '' })
    },
  )

  it('config client --format curl signs for no peer that need not', async () => {
    const roster = demoRoster(new Date())
    for (const signed of ['off', 'observe', 'accept'] as const) {
      const peer = { ...peerNamed(roster, 'alice'), signed }
      const { content } = await renderClientFragment('curl', { roster, peer, at: new Date() })
      expect(content).not.toContain('--for POST')
    }
    const { content } = await renderClientFragment('curl', {
      roster: { ...roster, signed: 'require' },
      peer: peerNamed(roster, 'alice'),
      at: new Date(),
    })
    expect(content).toContain('--for POST')
  })
})

describe('a code of a peer that has to sign', () => {
  const remark = 'so this code alone is not enough; --for METHOD URL signs one'
  const signs = { ...env, A2A_TOTP_SIGNED: 'require' }

  it.each([[], ['--header'], ['--headers']])('%j: says that it will be refused alone', async (...args) => {
    const cwd = await makeStore(['alice', 'bob'])
    await runCli(['set', 'alice', '--signed', 'require'], { cwd })
    const { stdout, stderr } = await runCli(['code', 'alice', ...args], { cwd })
    expect(stderr).toContain(`the agent refuses requests of alice that are not signed, ${remark}\n`)
    expect(stdout).not.toContain(remark)
    for (const quiet of ['--quiet', '--json'])
      expect((await runCli(['code', 'alice', ...args, quiet], { cwd })).stderr).toBe('')
    expect((await runCli(['code', 'bob', ...args], { cwd })).stderr).not.toContain(remark)
    expect((await code(args, { env: signs })).stderr).toContain(`requests of this peer that are not signed`)
  })

  it('says nothing when it signs', async () => {
    expect((await code(post, { env: signs })).stderr).not.toContain(remark)
  })
})
