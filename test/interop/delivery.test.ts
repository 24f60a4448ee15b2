import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder, makeStore, runBinary, runCli } from '../support/cli.js'
import { places } from '../support/delivery/places.js'
import { isInstalled } from '../support/delivery/programs.js'
import { ageIdentity } from '../support/delivery/real-places.js'
import { blockIn, recipes } from '../support/delivery/recipes.js'
import { canTrace, deliver } from '../support/delivery/run.js'
import { describeRecipes, secretsOf, twoFragments } from '../support/delivery/suite.js'

describeRecipes({ large: false })

it.skipIf(!canTrace && !process.env['CI']).each([
  ['an argument', 'env true "$A2A_TOTP_TOKEN"'],
  ['an argument of a program in a pipeline', 'true | env sh -c : "$A2A_TOTP_SEED"'],
  ['the environment', 'export A2A_TOTP_TOKEN; env true'],
])('a recipe that puts a secret in %s is noticed', async (_, leak) => {
  const [fragment] = await twoFragments()
  const code = `unset A2A_TOTP_TOKEN A2A_TOTP_SEED; eval "$(cat)"; ${leak}`
  const { exitCode, started } = await deliver(code, fragment, { folder: makeFolder() })
  expect(exitCode).toBe(0)
  expect(secretsOf(fragment).some((secret) => started.includes(secret))).toBe(true)
})

it.each([...recipes].filter(([, code]) => code.includes('needs A2A_TOTP_FORMAT=env')))(
  '%s.sh refuses another format, and says so',
  async (_, code) => {
    const env = { A2A_TOTP_FORMAT: 'json' }
    const { exitCode, output } = await deliver(code, '{}\n', { folder: makeFolder(), env })
    expect([exitCode, output]).toEqual([1, 'needs A2A_TOTP_FORMAT=env\n'])
  },
)

it.skipIf(!isInstalled('age') && !process.env['CI'])('a recipe takes a server file as well', async () => {
  const store = await makeStore(['alice'], ['--agent', 'billing'])
  const { stdout: serverFile } = await runCli(['config', 'server'], { cwd: store })
  const folder = makeFolder()
  const { env = {} } = (await places['age']?.open(folder)) ?? {}
  // As in `--deliver-server 'A2A_TOTP_PEER=server sh age.sh'`.
  const server = { ...env, A2A_TOTP_PEER: 'server', A2A_TOTP_FORMAT: 'json' }
  expect((await deliver(recipes.get('age') ?? '', serverFile, { folder, env: server })).exitCode).toBe(0)
  const opened = execFileSync('age', ['--decrypt', '-i', 'key.txt', 'billing-server.json.age'], {
    cwd: folder,
  })
  expect(opened.toString()).toBe(serverFile)
})

const unnumbered = (file: string): string => file.replace(/"serial": \d+/, '"serial": 0')

it.skipIf(!isInstalled('age') && !process.env['CI'])(
  'a rotation runs a recipe for each peer and for the server file',
  async () => {
    const cwd = await makeStore(['alice', 'bob'], ['--agent', 'billing'])
    writeFileSync(join(cwd, 'age.sh'), recipes.get('age') ?? '')
    const { key, recipient } = ageIdentity(cwd)
    const env = {
      PEER_RECIPIENT: recipient.trim(),
      A2A_TOTP_PEER: 'inherited',
      PATH: process.env['PATH'] ?? '',
    }
    const named = 'env | grep ^A2A_TOTP_ | sort >>named; sh age.sh'
    const args = [
      'rotate',
      '--all',
      '--deliver',
      named,
      '--deliver-server',
      `A2A_TOTP_PEER=server; export A2A_TOTP_PEER; ${named}`,
    ]
    const { exitCode, stderr } = await runBinary(args, { cwd, env })
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('delivering to bob')])
    for (const [file, config] of [
      ['billing-server.json', ['server']],
      ['billing-alice.env', ['client', 'alice']],
      ['billing-bob.env', ['client', 'bob']],
    ] as const) {
      const opened = execFileSync('age', ['--decrypt', '-i', key, `${file}.age`], { cwd })
      const { stdout } = await runCli(['config', ...config], { cwd })
      // That the rotation is over is written to the store after the last delivery.
      expect(unnumbered(opened.toString())).toBe(unnumbered(stdout))
    }
    const variables = (peer: string, format: string): string[] => [
      `A2A_TOTP_AGENT=billing`,
      `A2A_TOTP_FORMAT=${format}`,
      `A2A_TOTP_PEER=${peer}`,
    ]
    expect(readFileSync(join(cwd, 'named'), 'utf8').trimEnd().split('\n')).toEqual([
      ...variables('server', 'json'),
      ...variables('alice', 'env'),
      ...variables('bob', 'env'),
      ...variables('server', 'json'),
    ])
  },
)

describe.skipIf(!isInstalled('terraform'))('Terraform', () => {
  /** Runs the recipe over a resource that keeps the variable of the page. */
  const keep = async (variables: string): Promise<{ exitCode: number; kept: boolean }> => {
    const folder = makeFolder()
    const resource = '\nresource "terraform_data" "alice" {\n  input = var.a2a_totp\n}\n'
    writeFileSync(join(folder, 'main.tf'), `${variables}${resource}`)
    execFileSync('terraform', ['init', '-input=false'], { cwd: folder, stdio: 'ignore' })
    const [fragment] = await twoFragments()
    const { exitCode } = await deliver(recipes.get('terraform') ?? '', fragment, { folder })
    if (exitCode !== 0) return { exitCode, kept: false }
    const state = readFileSync(join(folder, 'terraform.tfstate'), 'utf8')
    return { exitCode, kept: secretsOf(fragment).every((secret) => state.includes(secret)) }
  }

  it('keeps a variable that is sensitive alone in its state, and refuses to keep an ephemeral one', async () => {
    const variables = blockIn('hcl').split('\nresource ')[0] ?? ''
    expect(await keep(variables.replace(/^ +ephemeral.*\n/m, ''))).toEqual({ exitCode: 0, kept: true })
    expect(await keep(variables)).toEqual({ exitCode: 1, kept: false })
  })
})
