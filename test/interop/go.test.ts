import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { algorithms, digitCounts } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep, verifyCode } from '../../src/core/totp.js'
import { renderClientFragment } from '../../src/fragments/index.js'
import { verifyProof } from '../../src/server/index.js'
import { makeStore, startBinary } from '../support/cli.js'
import { clientVariables } from '../support/client-variables.js'
import { temporaryFolder } from '../support/folder.js'
import { describeWithGo, goEnvironment, runGo } from '../support/go.js'
import { numbers } from '../support/numbers.js'
import { firstLineOf } from '../support/python.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const folder = temporaryFolder()
const program = join(folder, 'program')

/** A user of the file: prints codes, or what a request is answered. */
const main = `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"example/a2atotp"
)

func main() {
	if os.Args[1] == "codes" {
		var cases []map[string]string
		if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
			panic(err)
		}
		codes := []string{}
		for _, each := range cases {
			for name, value := range each {
				os.Setenv(name, value)
			}
			transport, err := a2atotp.FromEnv()
			if err != nil {
				panic(err)
			}
			at, _ := time.Parse(time.RFC3339, each["AT"])
			codes = append(codes, transport.Code(at))
		}
		_ = json.NewEncoder(os.Stdout).Encode(codes)
		return
	}
	client, err := a2atotp.NewClient()
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Printf("%v %+v %#v %x\\n", client.Transport, client, client.Transport, client.Transport)
	for _, argument := range os.Args[1:] {
		way, url, _ := strings.Cut(argument, " ")
		request, err := http.NewRequest("GET", argument, nil)
		switch way {
		case "POST":
			request, err = http.NewRequest("POST", url, strings.NewReader("ping"))
		case "STREAM":
			request, err = http.NewRequest("POST", url, io.MultiReader(strings.NewReader("{}")))
		case "ODD":
			request, err = http.NewRequest("POST", url, strings.NewReader("{}"))
			request.Header.Set("A2A-Version", "é")
		}
		if err != nil {
			panic(err)
		}
		if way == "POST" {
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Signature", "of=:YQ==:")
			request.Header["a2a-extensions"] = []string{" urn:one", "urn:two "}
		}
		response, err := client.Do(request)
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		body, _ := io.ReadAll(response.Body)
		fmt.Println(response.StatusCode, string(body))
	}
}
`

const runProgram = (args: readonly string[], input: string): string =>
  execFileSync(program, args, { env: goEnvironment(folder), encoding: 'utf8', input })

/** Runs the user of the file, while this process may answer it. */
async function call(variables: Readonly<Record<string, string>>, ...urls: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(program, urls, { env: goEnvironment(folder, variables) })
  return stdout.trimEnd().split('\n')
}

const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const credentials = { A2A_TOTP_TOKEN: 'a2at_go', A2A_TOTP_SEED: seed }

interface Subject {
  readonly origin: string
  readonly seen: IncomingMessage[]
}

/** A server that records its requests; gone when the test is over. */
async function serve(answer: RequestListener = (_, response) => void response.end('ok')): Promise<Subject> {
  const seen: IncomingMessage[] = []
  const server: Server = createServer((request, response) => {
    seen.push(request)
    answer(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

describeWithGo('the Go client (skipped without go)', () => {
  beforeAll(async () => {
    const alice = peerOf('alice')
    const { content } = await renderClientFragment('go', {
      roster: rosterOf([alice]),
      peer: alice,
      at: lookAt,
    })
    mkdirSync(join(folder, 'a2atotp'))
    mkdirSync(join(folder, 'cmd'))
    writeFileSync(join(folder, 'go.mod'), 'module example\n\ngo 1.19\n')
    writeFileSync(join(folder, 'a2atotp/client.go'), content)
    writeFileSync(join(folder, 'cmd/main.go'), main)
    runGo(folder, ['build', '-o', program, './cmd'])
  }, 400_000)

  it('is formatted, and has nothing that vet finds', () => {
    expect(runGo(folder, ['-l', '-s', 'a2atotp'], { tool: 'gofmt' })).toBe('')
    runGo(folder, ['vet', './a2atotp'])
  })

  it('agrees on 1000 random codes', () => {
    const random = numbers(20_261_129)
    const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
    const cases = Array.from({ length: 1000 }, () => ({
      seed: Seed.fromBytes(Uint8Array.from({ length: 16 + random(120) }, () => random(256))),
      algorithm: pick(algorithms),
      digits: pick(digitCounts),
      period: 10 + random(111),
      at: random(4e9),
    }))
    const input = cases.map(({ seed, algorithm, digits, period, at }) => ({
      A2A_TOTP_TOKEN: 't',
      A2A_TOTP_SEED: seed.base32,
      A2A_TOTP_ALGORITHM: algorithm,
      A2A_TOTP_DIGITS: String(digits),
      A2A_TOTP_PERIOD: String(period),
      AT: new Date(at * 1000).toISOString(),
    }))
    const ours = cases.map(({ seed, at, ...profile }) =>
      generateCodeOfStep(seed, profile, Math.floor(at / profile.period)),
    )
    expect(JSON.parse(runProgram(['codes'], JSON.stringify(input)))).toEqual(ours)
  })

  it('is let in by our agent, with the variables that env prints', async () => {
    const cwd = await makeStore(['alice'], ['--algorithm', 'SHA256', '--digits', '8', '--header', 'X-Code'])
    const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
    const variables = await clientVariables(cwd)
    const url = `${new URL(card).origin}/a2a/rest/tasks/none`
    const [, answer = ''] = await call(variables, url)
    expect(answer).toContain('404')
    expect(answer).toMatch(/task not found/i)
    const [, refused] = await call({ ...variables, A2A_TOTP_SEED: seed }, url)
    expect(refused).toMatch(/^401/)
  })

  it('sends each factor once, to loopback, and prints neither', async () => {
    const { origin, seen } = await serve()
    const [printed, ...answers] = await call(credentials, origin, origin.replace('127.0.0.1', 'localhost'))
    expect(printed).not.toMatch(new RegExp(`a2at_go|${seed}|12345678901234567890|3132333435`))
    expect(answers).toEqual(['200 ok', expect.stringContaining('error:') as string])
    const headersDistinct: NodeJS.Dict<string[]> = seen[0]?.headersDistinct ?? {}
    expect(headersDistinct['authorization']).toEqual(['Bearer a2at_go'])
    const [code = ''] = headersDistinct['x-totp'] ?? []
    const profile = { algorithm: 'SHA1', digits: 6, period: 30, window: 1, header: 'X-TOTP' } as const
    expect(verifyCode(Seed.fromBase32(seed), profile, code, new Date()).valid).toBe(true)
  })

  describe('signs', () => {
    const signing = { ...credentials, A2A_TOTP_AGENT: 'billing', A2A_TOTP_WINDOW: '1' }

    /** What our verifier says of each request that arrives. */
    async function verdicts(variables: Readonly<Record<string, string>>, ...paths: string[]) {
      const told: { readonly verdict: string; readonly fields: NodeJS.Dict<string[]> }[] = []
      const { origin } = await serve((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const { method = '', url: target = '', headersDistinct } = request
          const { verdict, reason = '' } = verifyProof(
            { method, target, header: (name) => headersDistinct[name], body: Buffer.concat(chunks) },
            { seeds: [seed], agent: 'billing', now: new Date() },
          )
          told.push({ verdict: `${verdict} ${reason}`.trim(), fields: headersDistinct })
          if (target === '/inside') response.writeHead(307, { Location: '/there?to' })
          response.end('ok')
        })
      })
      const [, ...answers] = await call(variables, ...paths.map((path) => path.replace('/', `${origin}/`)))
      return { told, answers }
    }

    it('what has no body, and what has one that is known as a whole, also after a redirect', async () => {
      const { told } = await verdicts(
        signing,
        '/',
        '/a%2Fb?x=%2F',
        '/b?',
        'POST /a2a/jsonrpc',
        'POST /inside',
      )
      expect(told.map(({ verdict }) => verdict)).toEqual(Array<string>(6).fill('valid'))
      const inputs = told.map(({ fields }) => fields['signature-input']?.join())
      expect(new Set(inputs.map((input) => /nonce="([^"]+)"/.exec(input ?? '')?.[1])).size).toBe(6)
      const [created, expires] =
        /created=(\d+);expires=(\d+)/
          .exec(inputs[0] ?? '')
          ?.slice(1)
          .map(Number) ?? []
      expect((expires ?? 0) - (created ?? 0)).toBe(60)
      expect(inputs[3]).toContain('"content-type" "a2a-extensions"')
      expect(told[3]?.fields['signature']).toHaveLength(1)
    })

    it('for a period where the window is not known', async () => {
      const { told } = await verdicts({ ...signing, A2A_TOTP_WINDOW: '' }, '/')
      const input = told[0]?.fields['signature-input']?.join() ?? ''
      const [created = 0, expires = 0] = /created=(\d+);expires=(\d+)/.exec(input)?.slice(1).map(Number) ?? []
      expect(expires - created).toBe(30)
    })

    it('nothing where the agent has no name, and no streams', async () => {
      const { told } = await verdicts({ ...signing, A2A_TOTP_AGENT: '' }, '/', 'POST /')
      expect(told.map(({ verdict }) => verdict)).toEqual(['unsigned', 'refused proof-malformed'])
      const streams = await verdicts(signing, 'STREAM /', 'ODD /')
      expect(streams.told.map(({ verdict }) => verdict)).toEqual(['unsigned', 'unsigned'])
    })

    it('everything or sends nothing, where proofs are required', async () => {
      const { told, answers } = await verdicts(
        { ...signing, A2A_TOTP_SIGNED: 'require' },
        'STREAM /',
        'ODD /',
        'POST /',
      )
      expect(answers[0]).toMatch(/requires a proof.*its body is a stream/)
      expect(answers[1]).toMatch(/requires a proof.*a2a-version has characters/)
      expect(answers[2]).toBe('200 ok')
      expect(told.map(({ verdict }) => verdict)).toEqual(['valid'])
    })

    it.each(['observe', 'accept', 'require'])('for our agent under %s', async (policy) => {
      const cwd = await makeStore(['alice'], ['--replay', 'once', '--signed', policy, '--digits', '8'])
      const card = await firstLineOf(startBinary(['--quiet', 'demo'], { cwd }))
      const variables = await clientVariables(cwd)
      const url = `${new URL(card).origin}/a2a/rest/tasks/none`
      const [, ...answers] = await call(variables, url, url, url)
      const admitted = policy === 'observe' ? 1 : 3
      expect(answers.filter((answer) => /task not found/i.test(answer))).toHaveLength(admitted)
      expect(answers.filter((answer) => answer.startsWith('401'))).toHaveLength(3 - admitted)
    })
  })

  it('reaches localhost by its addresses', async () => {
    const { origin, seen } = await serve()
    expect(await call(credentials, origin.replace('127.0.0.1', 'localhost'))).toContain('200 ok')
    expect(seen).toHaveLength(1)
  })

  it('follows a redirect inside the origin, and returns one that leads elsewhere', async () => {
    const other = await serve()
    const subject = await serve((request, response) => {
      if (request.url === '/inside') response.writeHead(307, { Location: '/there' })
      if (request.url === '/outside') response.writeHead(307, { Location: `${other.origin}/` })
      response.end('ok')
    })
    const [, ...answers] = await call(credentials, `${subject.origin}/inside`, `${subject.origin}/outside`)
    expect(answers).toEqual(['200 ok', '307 ok'])
    expect(subject.seen.map(({ url }) => url)).toEqual(['/inside', '/there', '/outside'])
    expect(other.seen).toEqual([])
  })

  it('sends nothing to another origin than that of the URL, nor over plain http beyond loopback', async () => {
    const subject = await serve()
    const variables = { ...credentials, A2A_TOTP_URL: 'https://agent.example/a2a' }
    const [, pinned] = await call(variables, subject.origin)
    expect(pinned).toContain(`credentials are for https://agent.example:443, not for ${subject.origin}`)
    const [, plain] = await call(credentials, 'http://agent.example/')
    expect(plain).toContain('over https only')
    expect(subject.seen).toEqual([])
  })

  it('sends plain http through no proxy', async () => {
    const proxy = await serve()
    const subject = await serve()
    const variables = { ...credentials, HTTP_PROXY: proxy.origin, http_proxy: proxy.origin }
    expect(await call(variables, subject.origin.replace('127.0.0.1', '127.0.0.2'))).toHaveLength(2)
    expect(proxy.seen).toEqual([])
  })

  it.each([
    ['A2A_TOTP_TOKEN', ''],
    ['A2A_TOTP_TOKEN', 'two words'],
    ['A2A_TOTP_SEED', ''],
    ['A2A_TOTP_SEED', '0189!'],
    ['A2A_TOTP_ALGORITHM', 'MD5'],
    ['A2A_TOTP_DIGITS', '9'],
    ['A2A_TOTP_DIGITS', '+6'],
    ['A2A_TOTP_PERIOD', '5'],
    ['A2A_TOTP_HEADER', 'authorization'],
    ['A2A_TOTP_HEADER', 'TotpPeer'],
    ['A2A_TOTP_HEADER', 'X Y'],
    ['A2A_TOTP_AGENT', 'https://agent.example'],
    ['A2A_TOTP_SIGNED', 'always'],
    ['A2A_TOTP_WINDOW', '3'],
    ['A2A_TOTP_URL', 'http://agent.example'],
    ['A2A_TOTP_URL', 'agent.example'],
  ])('refuses %s=%s by the name of the variable', async (name, value) => {
    const [error = '', ...rest] = await call({ ...credentials, [name]: value }, 'http://127.0.0.1:1')
    expect(error.startsWith(`error: $${name} must be`)).toBe(true)
    expect(rest).toEqual([])
    if (value.length > 1) expect(error.slice(error.indexOf(' must'))).not.toContain(value)
  })
})
