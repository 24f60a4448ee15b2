import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderClientFragment, renderServerFragment } from '../../src/fragments/index.js'
import { makeFolder } from '../support/cli.js'
import { checkSchema, kubernetesKinds, type PublishedSchema } from '../support/manifests.js'
import { describeWith } from '../support/python.js'
import { lookAt, peerOf, rosterOf } from '../support/roster.js'

const alice = peerOf('Alice_2', { digits: 8 })
const roster = rosterOf([alice], { agent: 'Billing', url: 'https://h/it\'s "$x": #1' })
const server = { roster, at: lookAt }
const client = { roster, peer: alice, at: lookAt }

/** The lines of a fragment's comment that are an example, as they would be pasted. */
const exampleIn = (content: string): string =>
  content
    .split('\n')
    .flatMap((line) => /^# {3}(.*)$/.exec(line)?.[1] ?? [])
    .join('\n')

describeWith('a2a-1', 'the Kubernetes schema', () => {
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
    expect(kubernetesKinds(`${content}---${deployment}`)).toEqual(['Secret', 'Deployment'])
  })

  it('refuses what is none, so that it can be trusted', () => {
    expect(() =>
      kubernetesKinds('apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringDatum: {}\n'),
    ).toThrow()
  })
})

const wrong = {
  compose: 'services: { agent: { secretz: [] } }\n',
  github: 'on: push\njobs: { probe: { steps: [{ uze: x }] } }\n',
} satisfies Record<PublishedSchema, string>

describeWith('a2a-1', 'the published schema', () => {
  it('takes the override of compose', async () => {
    const { content } = await renderServerFragment('compose', { ...server, serverFile: "/it's $HOME: #1 😀" })
    expect(checkSchema('compose', content)).toContain('ok')
  })

  it.each([
    ['with a known URL', roster],
    ['without', rosterOf([alice])],
  ])('takes the workflow of GitHub %s', async (_, known) => {
    const { content } = await renderClientFragment('github', { ...client, roster: known })
    expect(checkSchema('github', content)).toContain('ok')
  })

  it.each(Object.keys(wrong) as PublishedSchema[])(
    'refuses what is none of %s, so that it can be trusted',
    (format) => {
      expect(() => checkSchema(format, wrong[format])).toThrow()
    },
  )
})

const systemdAnalyze = '/usr/bin/systemd-analyze'

describe('systemd-analyze', () => {
  /** What it finds wrong with a service that has a drop-in. */
  const complaintsAbout = (dropIn: string): string[] => {
    const unit = join(makeFolder(), 'agent.service')
    mkdirSync(`${unit}.d`)
    writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
    writeFileSync(join(`${unit}.d`, 'a2a-totp.conf'), dropIn)
    const command = `${systemdAnalyze} verify --man=no "$0" 2>&1 || true`
    const said = execFileSync('sh', ['-c', command, unit], { encoding: 'utf8' })
    return said.split('\n').filter((line) => line.includes('a2a-totp'))
  }

  // In CI the package systemd is installed; elsewhere it may be missing.
  it.skipIf(!existsSync(systemdAnalyze) && !process.env['CI'])(
    'finds nothing wrong with a service that has the drop-in, but with one that is misspelt',
    async () => {
      const { content } = await renderServerFragment('systemd', { ...server, serverFile: '/etc/100%/a.json' })
      expect(complaintsAbout(content)).toEqual([])
      expect(complaintsAbout(content.replace('LoadCredential', 'LoadCredentials'))).toHaveLength(1)
      const { content: ofPeer } = await renderClientFragment('systemd', client)
      expect(complaintsAbout(ofPeer)).toEqual([])
      expect(complaintsAbout(ofPeer.replace('EnvironmentFile', 'EnvironmentFiles'))).toHaveLength(1)
    },
  )
})
