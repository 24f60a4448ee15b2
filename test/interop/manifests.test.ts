import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { temporaryFolder } from '../support/folder.js'
import { describeWith, runPython } from '../support/python.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder()
const alice = peerOf('Alice_2', { digits: 8 })
const roster = rosterOf([alice], { agent: 'Billing', url: 'https://h/it\'s "$x": #1' })
const server = { roster, at: lookAt }
const client = { roster, peer: alice, at: lookAt }

const run = (command: string, args: readonly string[], cwd = folder): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 110_000 })

/** The lines of a fragment's comment that are an example, as they would be pasted. */
const exampleIn = (content: string): string =>
  content
    .split('\n')
    .flatMap((line) => /^# {3}(.*)$/.exec(line)?.[1] ?? [])
    .join('\n')

describeWith('a2a-1', 'the Kubernetes schema', () => {
  const validate = `
import sys, yaml, kubernetes_validate as k
for document in yaml.safe_load_all(sys.stdin):
    k.validate(document, k.latest_version(), strict=True)
    print(document["kind"])`
  const kindsIn = (input: string): string[] =>
    runPython('a2a-1', ['-c', validate], { input }).trim().split('\n')

  it.each([
    ['server', () => renderServerFragment('kubernetes', server)],
    ['client', () => renderClientFragment('kubernetes', client)],
  ])('takes the Secret of the %s, and a Deployment with its example in it', async (_, render) => {
    const { content } = await render()
    const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: agent }
${exampleIn(content)
  .replace('spec:', 'spec:\n  selector: { matchLabels: { app: agent } }')
  .replace('    spec:', '    metadata: { labels: { app: agent } }\n    spec:')}
`
    expect(kindsIn(`${content}---${deployment}`)).toEqual(['Secret', 'Deployment'])
  })

  it('refuses what is none, so that it can be trusted', () => {
    expect(() => kindsIn('apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringDatum: {}\n')).toThrow()
  })
})

const systemdAnalyze = '/usr/bin/systemd-analyze'

describe.skipIf(!existsSync(systemdAnalyze))('systemd-analyze', () => {
  it('finds nothing wrong with a service that has the drop-in', async () => {
    const { content } = await renderServerFragment('systemd', { ...server, serverFile: '/etc/100%/a.json' })
    const unit = join(folder, 'agent.service')
    mkdirSync(`${unit}.d`)
    writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
    writeFileSync(join(`${unit}.d`, 'a2a-totp.conf'), content)
    const verified = execFileSync('sh', ['-c', `${systemdAnalyze} verify --man=no "$0" 2>&1`, unit], {
      encoding: 'utf8',
    })
    expect(verified.split('\n').filter((line) => line.includes('a2a-totp'))).toEqual([])
  })
})

describe('the TypeScript fragments', () => {
  it('compile, strictly, against the packed tarball', async () => {
    const user = join(folder, 'user')
    mkdirSync(join(user, 'node_modules'), { recursive: true })
    run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root)
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
    run('tar', ['-xzf', join(folder, tarball), '-C', join(user, 'node_modules')])
    run('mv', ['package', 'a2a-totp'], join(user, 'node_modules'))
    // The rest as a user's install would have it, without installing it once more.
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (!name.startsWith('.'))
        symlinkSync(join(root, 'node_modules', name), join(user, 'node_modules', name))
    }
    writeFileSync(join(user, 'package.json'), '{"type":"module"}')
    writeFileSync(join(user, 'agent.ts'), (await renderServerFragment('typescript', server)).content)
    writeFileSync(join(user, 'client.ts'), (await renderClientFragment('typescript', client)).content)
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022']
    const files = ['--types', 'node', 'agent.ts', 'client.ts']
    const compiler = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), ...flags, ...files],
      { cwd: user, encoding: 'utf8', timeout: 110_000 },
    )
    expect(compiler).toMatchObject({ stdout: '', status: 0 })
  })
})
