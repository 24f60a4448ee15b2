import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../support/cli.js'
import { checkSchema, kubernetesKinds } from '../support/manifests.js'
import { describeWith } from '../support/python.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fileOf = (name: string): string => readFileSync(join(root, 'docs/deploy', name), 'utf8')

describeWith('a2a-1', 'the published schemas', () => {
  it('of Kubernetes takes an agent with a gate, and a client with a proxy', () => {
    expect(kubernetesKinds(fileOf('kubernetes-gate.yaml'))).toEqual([
      'Deployment',
      'Service',
      'NetworkPolicy',
    ])
    expect(kubernetesKinds(fileOf('kubernetes-proxy.yaml'))).toEqual(['Deployment'])
  })

  it.each(['compose-gate.yaml', 'compose-proxy.yaml'])('of compose takes %s', (name) => {
    expect(checkSchema('compose', fileOf(name))).toContain('ok')
  })
})

const systemdAnalyze = '/usr/bin/systemd-analyze'

// In CI the package systemd is installed; elsewhere it may be missing.
describe.skipIf(!existsSync(systemdAnalyze) && !process.env['CI'])('systemd-analyze', () => {
  /** A unit as it is, but for the program, which is looked for where it would be installed. */
  function unitOf(name: string, change = (text: string) => text): string {
    const path = join(makeFolder(), name)
    writeFileSync(path, change(fileOf(name).replace('ExecStart=a2a-totp ', 'ExecStart=/bin/true ')))
    return path
  }
  const said = (...args: string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(systemdAnalyze, args, { encoding: 'utf8' })
    return { status, text: stdout + stderr }
  }

  describe.each(['a2a-totp-gate.service', 'a2a-totp-proxy.service'])('%s', (name) => {
    it('finds nothing wrong with it, but with one that is misspelt', () => {
      expect(said('verify', '--man=no', unitOf(name))).toEqual({ status: 0, text: '' })
      const misspelt = unitOf(name, (text) => text.replace('NoNewPrivileges', 'NoNewPrivilege'))
      expect(said('verify', '--man=no', misspelt).text).toContain('NoNewPrivilege')
    })

    it('finds little that it exposes, and more without its user', () => {
      // Of 10: a service without settings has 9.6.
      const security = ['security', '--offline=true', '--no-pager', '--threshold=16']
      expect(said(...security, unitOf(name))).toHaveProperty('status', 0)
      const asRoot = unitOf(name, (text) => text.replace('DynamicUser=yes', ''))
      expect(said(...security, asRoot)).toHaveProperty('status', 1)
    })
  })
})

describeWith('package', 'hadolint', () => {
  const hadolint = (dockerfile: string): string =>
    execFileSync(join(root, '.venvs/package/bin/hadolint'), ['--no-color', '-'], {
      input: dockerfile,
      encoding: 'utf8',
      stdio: 'pipe',
    })

  it('accepts the Dockerfile, and not every one', () => {
    expect(hadolint(fileOf('Dockerfile'))).toBe('')
    expect(() => hadolint('FROM node\nRUN cd /tmp\n')).toThrow()
  })
})
