import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { binary, makeFolder, makeStore, runCli } from '../support/cli.js'

const has = (program: string): boolean => spawnSync(program, ['-c', 'true']).status === 0

async function scriptFor(shell: string): Promise<string> {
  const run = await runCli(['completion', shell], { cwd: makeFolder() })
  expect(run).toMatchObject({ exitCode: 0, stderr: '' })
  return run.stdout
}

/** How each shell is asked what it offers for a command line, whose last word is being typed. */
const asking = {
  bash: (script: string, line: string) => `${script}
COMP_WORDS=(${wordsOf(line)})
COMP_CWORD=${line.split(' ').length - 1}
_a2a_totp
printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Outside a line editor zsh has no compadd; what it is handed is what would be offered.
  zsh: (script: string, line: string) => `compdef() { : }
_files() { : }
compadd() { shift; print -rl -- "\${(@M)@:#\${words[CURRENT]}*}" }
${script}
words=(${wordsOf(line)})
CURRENT=${line.split(' ').length}
_a2a_totp`,
  fish: (script: string, line: string) => `${script}
complete -C '${line}' | string split -f1 \\t
true`,
}

const wordsOf = (line: string): string =>
  line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ')

async function offered(cwd: string, line: string, shell: keyof typeof asking = 'bash'): Promise<string[]> {
  const bin = join(cwd, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'a2a-totp'), `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`)
  chmodSync(join(bin, 'a2a-totp'), 0o755)
  const script = asking[shell](await scriptFor(shell), line)
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd }
  const flags = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }
  return execFileSync(shell, [...flags[shell], '-c', script], { cwd, env })
    .toString()
    .split('\n')
    .filter(Boolean)
}

describe('completion', () => {
  it.skipIf(!has('bash'))('offers commands, options and peers in bash (skipped without bash)', async () => {
    const cwd = await makeStore(['alice', 'alan', 'bob'])
    expect(await offered(cwd, 'a2a-totp ro')).toEqual(['rotate'])
    expect(await offered(cwd, 'a2a-totp --quiet config cl')).toEqual(['client'])
    expect(await offered(cwd, 'a2a-totp rotate --over')).toEqual(['--overlap'])
    expect(await offered(cwd, 'a2a-totp code al')).toEqual(['alice', 'alan'])
    expect(await offered(cwd, 'a2a-totp probe --format s')).toEqual(['sarif'])
    expect(await offered(cwd, 'a2a-totp add-peer al')).toEqual([])
    expect(await offered(cwd, 'a2a-totp complete')).toEqual([])
    const elsewhere = makeFolder()
    const store = join(cwd, 'a2a-totp.json')
    expect(await offered(elsewhere, `a2a-totp --store ${store} show b`)).toEqual(['bob'])
    expect(await offered(elsewhere, 'a2a-totp show b')).toEqual([])
  })

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    it.skipIf(!has(shell))(
      `knows where in the line it is, in ${shell} (skipped without it)`,
      async () => {
        const cwd = await makeStore(['alice', 'alan', 'bob'])
        const sorted = async (line: string): Promise<string[]> => (await offered(cwd, line, shell)).sort()
        expect(await sorted('a2a-totp ro')).toEqual(['rotate'])
        expect(await sorted('a2a-totp config s')).toEqual(['server'])
        expect(await sorted('a2a-totp recipients a')).toEqual(['add'])
        expect(await sorted('a2a-totp code al')).toEqual(['alan', 'alice'])
        expect(await sorted('a2a-totp config client al')).toEqual(['alan', 'alice'])
        expect(await sorted('a2a-totp config server al')).toEqual([])
        expect(await sorted('a2a-totp config client --format k')).toEqual(['kubernetes'])
        expect(await sorted('a2a-totp config client alice --format c')).toEqual(['crewai', 'curl'])
        expect(await sorted('a2a-totp add-peer carol --replay ')).toEqual(['once', 'reuse'])
        expect(await sorted('a2a-totp rotate --over')).toEqual(['--overlap'])
        expect(await sorted('a2a-totp help enc')).toEqual(['encrypt', 'encryption'])
        expect(await sorted('a2a-totp completion z')).toEqual(['zsh'])
        expect(await sorted('a2a-totp mesh ap')).toEqual(['apply'])
        expect(await sorted('a2a-totp help mesh pr')).toEqual(['prove'])
        expect(await sorted('a2a-totp mesh init --fo')).toEqual(['--force'])
        if (shell !== 'zsh') expect(await sorted('a2a-totp mesh init a')).toContain('a2a-totp.json')
        if (shell !== 'zsh') expect(await sorted('a2a-totp import a')).toContain('a2a-totp.json')
      },
      60_000,
    )
  }

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    it.skipIf(!has(shell))(
      `completes agents, peers and edges of the mesh file, in ${shell} (skipped without it)`,
      async () => {
        const cwd = makeFolder()
        const mesh = `version: 1
agents: {billing: {url: 'https://b.example'}, bank: {url: 'https://k.example'}}
peers: {alice: {calls: [billing, bank]}, bob: {calls: [bank]}}
`
        writeFileSync(join(cwd, 'mesh.yaml'), mesh, { mode: 0o600 })
        const sorted = async (line: string, from = cwd): Promise<string[]> =>
          (await offered(from, line, shell)).sort()
        expect(await sorted('a2a-totp mesh config server b')).toEqual(['bank', 'billing'])
        expect(await sorted('a2a-totp mesh config client b')).toEqual(['bob'])
        expect(await sorted('a2a-totp mesh prove --only bi')).toEqual(['billing'])
        expect(await sorted('a2a-totp mesh prove --only bank,bo')).toEqual(['bank,bob:bank'])
        expect(await sorted('a2a-totp mesh rotate --only al')).toEqual(['alice:bank', 'alice:billing'])
        const elsewhere = makeFolder()
        expect(await sorted('a2a-totp mesh config client b', elsewhere)).toEqual([])
        const file = `--file ${join(cwd, 'mesh.yaml')}`
        expect(await sorted(`a2a-totp mesh rotate ${file} --only bo`, elsewhere)).toEqual(['bob:bank'])
      },
      60_000,
    )
  }

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    it.skipIf(!has(shell))(
      `completes values, lists and the peers of the named store, in ${shell} (skipped without it)`,
      async () => {
        const cwd = await makeStore(['alice', 'alan', 'bob'])
        await runCli(['add-peer', 'bait', '--canary'], { cwd })
        const elsewhere = makeFolder()
        const store = join(cwd, 'a2a-totp.json')
        const sorted = async (line: string, from = elsewhere): Promise<string[]> =>
          (await offered(from, line, shell)).sort()
        expect(await sorted('a2a-totp probe --format=s')).toEqual(['--format=sarif'])
        expect(await sorted('a2a-totp config client alice --format=k')).toEqual(['--format=kubernetes'])
        expect(await sorted('a2a-totp probe --only auth.valid,tl')).toEqual(['auth.valid,tls'])
        expect(await sorted('a2a-totp probe --skip=tls,card.f')).toEqual(['--skip=tls,card.fetch'])
        expect(await sorted('a2a-totp probe --explain auth.af')).toEqual(['auth.after-valid'])
        expect(await sorted('a2a-totp probe --binding=')).toEqual(
          ['auto', 'grpc', 'jsonrpc', 'rest'].map((name) => `--binding=${name}`),
        )
        expect(await sorted('a2a-totp demo --bindings jsonrpc,r')).toEqual(['jsonrpc,rest'])
        expect(await sorted('a2a-totp rotate alice --deliver x --format=k')).toEqual(['--format=kubernetes'])
        for (const command of ['set', 'rename', 'exec', 'log --peer'])
          expect(await sorted(`a2a-totp --store ${store} ${command} al`), command).toEqual(['alan', 'alice'])
        expect(await sorted('a2a-totp add-peer carol --algorithm SHA5')).toEqual(['SHA512'])
        expect(await sorted('a2a-totp recipients re')).toEqual(['remove'])
        expect(await sorted('a2a-totp help recipients re')).toEqual(['remove'])
        expect(await sorted('a2a-totp completion p')).toEqual(['powershell'])
        expect(await sorted('a2a-totp code --qui')).toEqual(['--quiet'])
        expect(await sorted(`a2a-totp --store=${store} show b`)).toEqual(['bait', 'bob'])
        expect(await sorted(`a2a-totp probe --store ${store} --other-peer=al`)).toEqual([
          '--other-peer=alan',
          '--other-peer=alice',
        ])
        expect(await sorted('a2a-totp rm alice al', cwd)).toEqual(['alan'])
        expect(await sorted('a2a-totp verify 123456 bo', cwd)).toEqual(['bob'])
        expect(await sorted('a2a-totp verify bo', cwd)).toEqual([])
        if (shell !== 'zsh') expect(await sorted('a2a-totp --store a', cwd)).toContain('a2a-totp.json')
      },
      120_000,
    )
  }

  it.skipIf(!has('bash'))('reads words as bash splits them (skipped without bash)', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    const store = join(cwd, 'a2a-totp.json')
    expect(await offered(cwd, 'a2a-totp probe --format =')).toContain('sarif')
    expect(await offered(cwd, 'a2a-totp probe --format = s')).toEqual(['sarif'])
    expect(await offered(cwd, `a2a-totp --store = ${store} code al`)).toEqual(['alice'])
    expect(await offered(cwd, 'a2a-totp probe https : //a.example bo')).toEqual(['bob'])
    expect(await offered(cwd, 'a2a-totp show alice --out = a2a-totp.json.l')).toEqual(['a2a-totp.json.log'])
  })

  it('knows every command in every shell', async () => {
    const cwd = makeFolder()
    const { stdout } = await runCli(['--help'], { cwd })
    const commands = Array.from(stdout.matchAll(/^ {2}([a-z][a-z-]+)/gm), ([, name = '']) => name)
    expect(commands).toContain('rotate')
    expect(commands).not.toContain('complete-peers')
    for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
      const script = await scriptFor(shell)
      for (const command of commands) expect(script, shell).toMatch(new RegExp(`\\b${command}\\b`))
    }
    const offers = (await runCli(['complete'], { cwd })).stdout.split('\n').filter(Boolean)
    for (const command of commands) expect(offers.map((line) => line.split('\t')[0])).toContain(command)
    for (const offer of offers) expect(offer).toMatch(/^[a-z-]+\t./)
  })

  it('offers the options of each command, each with what it does', async () => {
    const cwd = makeFolder()
    const offers = await runCli(['complete', '--word=--', '--before=rotate'], { cwd })
    expect(offers.stdout).toContain('--overlap\thow long the old ones stay valid (default: 24h)\n')
    expect(offers.stdout).toContain('--quiet\t')
    for (const offer of offers.stdout.trimEnd().split('\n')) expect(offer).toMatch(/^--[a-z-]+\t./)
  })

  it.each([
    ['show'],
    ['code'],
    ['verify', '123456'],
    ['config', 'client'],
    ['rotate'],
    ['set'],
    ['rename'],
    ['exec'],
    ['remove-peer'],
    ['rm'],
    ['log', '--peer'],
    ['probe', 'https://agent.example'],
    ['probe', '--other-peer'],
    ['code', '--for', 'POST', 'https://agent.example/'],
  ])('offers peers to `%s %s`', async (...before) => {
    const cwd = await makeStore(['alice', 'bob'])
    const args = ['complete', '--word=al', ...before.map((word) => `--before=${word}`)]
    expect((await runCli(args, { cwd })).stdout.split('\n')).toContain('alice')
  })

  it('offers no peers where an option still takes a word', async () => {
    const cwd = await makeStore(['alice', 'bob'])
    for (const before of [['--for'], ['--for', 'POST'], ['--body'], ['--with']]) {
      const args = ['complete', '--word=al', '--before=code', ...before.map((word) => `--before=${word}`)]
      expect((await runCli(args, { cwd })).stdout).not.toContain('alice')
    }
  })

  it('asks for no passphrase and prints no error', async () => {
    const cwd = await makeStore(['alice'])
    const env = { A2A_TOTP_PASSPHRASE: 'correct horse battery staple' }
    await runCli(['encrypt', '--passphrase'], { cwd, env })
    expect(await runCli(['complete', '--before=code'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' })
  })

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    it.skipIf(!has(shell))(
      `is put where --help says, in a new home, in ${shell} (skipped without it)`,
      async () => {
        const cwd = makeFolder()
        const bin = join(cwd, 'bin')
        mkdirSync(bin)
        symlinkSync(binary, join(bin, 'a2a-totp'))
        const { stdout } = await runCli(['completion', '--help'], { cwd })
        const lines = Array.from(stdout.matchAll(/^ {2}\$ (.*)$/gm), ([, line = '']) => line)
        const own = lines.findIndex((line) => line.includes(`completion ${shell} `))
        const typed = lines.slice(own - 1, own + 1)
        expect(typed[0]).toMatch(/^mkdir -p /)
        // A folder of the user's is first there.
        const start = shell === 'zsh' ? ['fpath=(~/functions $fpath)'] : []
        const target = typed[1]?.split('> ').at(-1) ?? ''
        const printed = execFileSync(shell, ['-c', [...start, ...typed, `cat ${target}`].join('\n')], {
          cwd,
          env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: cwd },
        })
        expect(printed.toString()).toBe(await scriptFor(shell))
      },
    )
  }

  it('knows four shells', async () => {
    const run = await runCli(['completion', 'pwsh'], { cwd: makeFolder() })
    expect(run).toMatchObject({ exitCode: 2, stdout: '' })
    expect(run.stderr).toContain('one of bash, zsh, fish, powershell; did you mean powershell?')
    expect(await scriptFor('powershell')).toContain(
      "Register-ArgumentCompleter -Native -CommandName 'a2a-totp'",
    )
  })
})

describe('help', () => {
  it('is that of the command, or a longer text on a topic', async () => {
    const cwd = makeFolder()
    const help = async (...words: string[]): Promise<string> => {
      const run = await runCli(['help', ...words], { cwd })
      expect(run.exitCode, words.join(' ')).toBe(0)
      return run.stdout
    }
    expect(await help('rotate')).toContain('Usage: a2a-totp rotate')
    expect(await help('recipients', 'add')).toContain('Usage: a2a-totp recipients add')
    expect(await help()).toContain('Usage: a2a-totp')
    const topics =
      /one of ([a-z, -]+)/
        .exec((await help('help')).replace(/\s+/g, ' '))?.[1]
        ?.trim()
        .split(', ') ?? []
    expect(topics.length).toBeGreaterThan(4)
    for (const topic of topics) expect((await help(topic)).length).toBeGreaterThan(300)
  })

  it('says so when there is none', async () => {
    expect(await runCli(['help', 'nothing'], { cwd: makeFolder() })).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })
})
