import { describe, expect, it } from 'vitest'
import { makeStore, parseJson, runCli, type CliRun } from '../support/cli.js'

async function done(cwd: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(args, { cwd })
  expect(exitCode, `${args.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

const agent = (name = 'billing', peers: string[] = ['alice', 'bob']): Promise<string> =>
  makeStore(peers, ['--agent', name])

/** Imports a text into a new store. */
async function give(stdin: string, ...args: string[]): Promise<{ cwd: string; run: CliRun }> {
  const cwd = await agent('billing', [])
  return { cwd, run: await runCli(['import', '-', ...args], { cwd, stdin }) }
}

const namesIn = async (cwd: string): Promise<string[]> =>
  (parseJson({ stdout: await done(cwd, 'list', '--json') })['peers'] as { name: string }[]).map(
    ({ name }) => name,
  )

const client = (cwd: string, name: string, format: string): Promise<string> =>
  done(cwd, 'config', 'client', name, '--format', format)

/** The variables of a client as a map for `environment:`. */
async function environment(cwd: string, name: string): Promise<string> {
  const variables = (await client(cwd, name, 'env')).matchAll(/^(A2A_TOTP_\w+)=(.*)$/gm)
  const lines = Array.from(variables, ([, key, value]) => `      ${key}: '${value}'\n`)
  return `  ${name}:\n    environment:\n${lines.join('')}`
}

describe('variables of several peers in one file', () => {
  it.each<[string, string[], (cwd: string) => Promise<string>]>([
    ['lines', [], async (cwd) => `${await client(cwd, 'alice', 'env')}${await client(cwd, 'bob', 'env')}`],
    [
      'services',
      ['--name', 'alice'],
      async (cwd) => `services:\n${await environment(cwd, 'alice')}${await environment(cwd, 'bob')}`,
    ],
  ])('are refused as %s: which belong together is not known', async (_, args, textOf) => {
    const { cwd, run } = await give(await textOf(await agent()), ...args)
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain(
      "A2A_TOTP_SEED has several values; give each peer's fragment a file of its own",
    )
    expect(await namesIn(cwd)).toEqual([])
  })

  it('are one fragment where all values are the same, or empty', async () => {
    const cwd = await agent()
    const env = await client(cwd, 'alice', 'env')
    const { cwd: there, run } = await give(`A2A_TOTP_SEED=\n${env}${env}`, '--name', 'alice')
    expect(run).toMatchObject({ exitCode: 0, stdout: 'imported 1, skipped 0\n' })
    expect(await client(there, 'alice', 'env')).toBe(env)
  })
})

describe('several documents in one file', () => {
  const joined = (texts: string[]): string => texts.join('---\n')

  it('are all imported: the Secrets of peers', async () => {
    const cwd = await agent()
    const secrets = joined([await client(cwd, 'alice', 'kubernetes'), await client(cwd, 'bob', 'kubernetes')])
    const { cwd: there, run } = await give(secrets)
    expect(run, run.stderr).toMatchObject({ exitCode: 0, stdout: 'imported 2, skipped 0\n' })
    for (const name of ['alice', 'bob'])
      expect(await client(there, name, 'env')).toBe(await client(cwd, name, 'env'))
  })

  it.each(['kubernetes', 'yaml'])(
    'are all imported: a client’s and the server file, as %s',
    async (format) => {
      const cwd = await agent()
      const files = [
        await client(cwd, 'alice', format),
        await done(cwd, 'config', 'server', '--format', format),
      ]
      for (const texts of [files, files.toReversed()]) {
        const { cwd: there, run } = await give(joined(texts))
        expect(run, run.stderr).toMatchObject({ exitCode: 0, stdout: 'imported 2, completed 1, skipped 0\n' })
        expect(await client(there, 'alice', 'env')).toBe(await client(cwd, 'alice', 'env'))
      }
    },
  )

  it('are all imported: what kubectl lists, and the files of one Secret', async () => {
    const cwd = await agent()
    const server = await done(cwd, 'config', 'server')
    const clients = { a: await client(cwd, 'alice', 'json'), b: await client(cwd, 'bob', 'json') }
    const items = [
      { kind: 'Secret', stringData: clients },
      { kind: 'Secret', data: { 'a2a-totp-server.json': Buffer.from(server).toString('base64') } },
    ]
    const { run } = await give(JSON.stringify({ kind: 'List', items }))
    expect(run, run.stderr).toMatchObject({ exitCode: 0, stdout: 'imported 2, completed 2, skipped 0\n' })
  })

  it('are refused where they are of several agents', async () => {
    const servers = await Promise.all(
      [agent('billing'), agent('shipping', ['carol'])].map(async (cwd) =>
        done(await cwd, 'config', 'server', '--format', 'kubernetes'),
      ),
    )
    const { cwd, run } = await give(joined(servers))
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain('server files of several agents ("billing", "shipping")')
    expect(await namesIn(cwd)).toEqual([])
    expect(await give(joined(servers), '--force').then(({ cwd: all }) => namesIn(all))).toEqual([
      'alice',
      'bob',
      'carol',
    ])
  })

  it('are named by their number in a problem', async () => {
    const secret = (seed: string): string => `kind: Secret\nstringData: { A2A_TOTP_SEED: '${seed}' }\n`
    const { run } = await give(joined([secret('one'), secret('two')]))
    expect(run).toMatchObject({ exitCode: 3, stdout: '' })
    expect(run.stderr).toContain(
      'document 1, the Secret: the fragment needs A2A_TOTP_SEED and A2A_TOTP_TOKEN',
    )
    expect(run.stderr).toContain('(and 1 more)')
  })
})
