import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Peer, Roster } from '../../src/core/roster.js'
import { defaultProfile } from '../../src/core/profile.js'
import { quoteForShell } from '../../src/core/shell.js'
import {
  renderClientFragment,
  renderServerFragment,
  type ClientFormat,
  type ServerFormat,
} from '../../src/fragments/index.js'
import { resourceName } from '../../src/core/resource-name.js'
import { yamlDocument } from '../../src/fragments/yaml-document.js'
import { sourcedBySh } from '../support/env-readers.js'
import { lookAt, peerOf, rosterOf, seedCredential } from '../support/roster.js'

const nasty = fc.string({
  unit: fc.constantFrom(...Array.from('aN0 ~#$"\'`!&;|<>(){}[]*?=+/:@%^,.-_\\\n\r\t\u0000\u0085\u2028é☃😀')),
  maxLength: 16,
})
const url = 'https://h/it\'s "$HOME" ${{ x }} #1: 😀?a=b&c'
const alice = peerOf('alice', { algorithm: 'SHA256', digits: 8, note: '"quoted": \n$x 😀' })
const unusual = { agent: 'Billing_2', url, profile: { ...defaultProfile, header: "X-$`#!'" } }
const shared = rosterOf([peerOf('alice', { seeds: [] })], { sharedSeeds: [seedCredential('shared', 7)] })

const server = async (
  format: ServerFormat,
  roster: Roster = rosterOf([alice], unusual),
  serverFile?: string,
) => (await renderServerFragment(format, { roster, at: lookAt, ...(serverFile && { serverFile }) })).content
const client = async (format: ClientFormat, peer: Peer = alice, overrides: Partial<Roster> = unusual) =>
  (await renderClientFragment(format, { roster: rosterOf([peer], overrides), peer, at: lookAt })).content
const documentOf = async (fragment: Promise<string>): Promise<unknown> => parse(await fragment)

describe('YAML', () => {
  it.each(['1.1', '1.2'] as const)('%s reads any text back as it was', (version) => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(parse(yamlDocument([], { text }), { version })).toEqual({ text })
      }),
    )
  })

  it.each(['1.1', '1.2'] as const)('%s reads any JSON back as it was', (version) => {
    const key = fc.oneof(nasty, fc.constantFrom('no', 'Y', 'null', 'on', '~', '1'))
    const { tree } = fc.letrec<{ tree: object }>((tie) => ({
      tree: fc.oneof(
        fc.dictionary(key, fc.oneof(nasty, fc.integer(), fc.boolean(), fc.constant(null), tie('tree')), {
          minKeys: 1,
          noNullPrototype: true,
        }),
        fc.array(fc.oneof(nasty, tie('tree')), { minLength: 1 }),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        expect(parse(yamlDocument([], value), { version })).toEqual(value)
      }),
    )
  })

  it('holds the same as the JSON formats, for shared seeds too', async () => {
    expect(await documentOf(client('yaml'))).toEqual(JSON.parse(await client('json')))
    for (const roster of [rosterOf([alice], unusual), shared]) {
      expect(await documentOf(server('yaml', roster))).toEqual(JSON.parse(await server('json', roster)))
    }
  })
})

describe('Kubernetes', () => {
  it('is applied by the server, so that kubectl keeps no second copy of the secrets', async () => {
    for (const fragment of [await server('kubernetes'), await client('kubernetes')]) {
      expect(fragment).toContain('`kubectl apply --server-side -f -`')
      expect(fragment).not.toContain('kubectl apply -f')
    }
  })

  it('gets the server file as a Secret, for shared seeds too', async () => {
    for (const roster of [rosterOf([alice], unusual), shared]) {
      const secret = await documentOf(server('kubernetes', roster))
      expect(secret).toMatchObject({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: resourceName(roster.agent) },
      })
      const { stringData } = secret as { stringData: Record<string, string> }
      expect(JSON.parse(stringData['a2a-totp-server.json'] ?? '')).toEqual(
        JSON.parse(await server('json', roster)),
      )
    }
  })

  it('gets the variables of a peer as they are, not as a shell would want them', async () => {
    expect(await documentOf(client('kubernetes'))).toMatchObject({
      stringData: {
        A2A_TOTP_AGENT: 'Billing_2',
        A2A_TOTP_URL: url,
        A2A_TOTP_HEADER: "X-$`#!'",
        A2A_TOTP_ALGORITHM: 'SHA256',
        A2A_TOTP_DIGITS: '8',
        A2A_TOTP_WINDOW: '1',
      },
    })
  })

  it('gives each pair of agent and peer a file of its own under systemd', async () => {
    const fileOf = async (agent: string, name: string): Promise<string | undefined> =>
      /^EnvironmentFile=(.*)$/m.exec(await client('systemd', peerOf(name), { agent }))?.[1]
    expect(await fileOf('billing', 'alice')).toBe('/etc/a2a-totp/billing-alice.env')
    expect(await fileOf('billing', 'alice-ci')).not.toBe(await fileOf('billing-alice', 'ci'))
  })
})

describe('compose', () => {
  it('mounts the server file as a secret, whatever its path', async () => {
    const content = await server('compose', rosterOf([alice]), "/srv/it's $HOME/#1: 😀.json")
    const target = '/run/secrets/a2a-totp-server.json'
    expect(parse(content)).toEqual({
      services: {
        agent: {
          environment: { A2A_TOTP_SERVER_FILE: target },
          secrets: [{ source: 'a2a-totp-agent', target }],
        },
      },
      secrets: { 'a2a-totp-agent': { file: "/srv/it's $$HOME/#1: 😀.json" } },
    })
  })
})

describe('systemd', () => {
  it('loads the file as a credential, and writes a percent sign twice', async () => {
    const lines = (await server('systemd', rosterOf([]), '/etc/100%/server.json')).split('\n')
    expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
      '[Service]',
      'LoadCredential=a2a-totp-server.json:/etc/100%%/server.json',
      'Environment=A2A_TOTP_SERVER_FILE=%d/a2a-totp-server.json',
      '',
    ])
  })

  it.each(['relative.json', '/a b', '/a\nExecStart=/bin/sh', '/a"b', '/a\\'])(
    'refuses the path %j',
    async (path) => {
      await expect(server('systemd', rosterOf([]), path)).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
      )
    },
  )
})

describe('GitHub', () => {
  interface Workflow {
    readonly jobs: { readonly probe: { readonly steps: { run?: string; env?: Record<string, string> }[] } }
  }
  const stepOf = async (content: Promise<string>) =>
    ((await documentOf(content)) as Workflow).jobs.probe.steps.at(-1)

  it('probes with the secrets, and evaluates nothing of ours', async () => {
    expect(await stepOf(client('github'))).toEqual({
      run: 'a2a-totp probe --strict --format github -- "$A2A_TOTP_URL"',
      env: {
        A2A_TOTP_URL: url.replace('${{', '%24{{'),
        A2A_TOTP_AGENT: 'Billing_2',
        A2A_TOTP_ALGORITHM: 'SHA256',
        A2A_TOTP_DIGITS: '8',
        A2A_TOTP_HEADER: "X-$`#!'",
        A2A_TOTP_WINDOW: '1',
        A2A_TOTP_TOKEN: '${{ secrets.A2A_TOTP_TOKEN }}',
        A2A_TOTP_SEED: '${{ secrets.A2A_TOTP_SEED }}',
      },
    })
  })

  it('names the agent where requests may have to be signed', async () => {
    const signed = { ...peerOf('bob'), signed: 'require' } as const
    const step = await stepOf(client('github', signed, {}))
    expect(step?.env).toMatchObject({ A2A_TOTP_AGENT: 'agent', A2A_TOTP_SIGNED: 'require' })
  })

  it('pins actions by commit, and names their versions', async () => {
    const content = await client('github')
    const used = Array.from(content.matchAll(/uses: "([^"]+)"/g), ([, use = '']) => use)
    expect(used.length).toBeGreaterThan(1)
    for (const use of used) {
      const [, name = ''] = /^actions\/([\w-]+)@[0-9a-f]{40}$/.exec(use) ?? []
      expect(content).toMatch(
        new RegExp(`^# Actions are pinned by commit: .*\\b${name} v\\d+\\.\\d+\\.\\d+`, 'm'),
      )
    }
  })

  it('takes the URL from a variable where it is not known', async () => {
    const step = await stepOf(client('github', peerOf('bob'), {}))
    expect(step?.env?.['A2A_TOTP_URL']).toBe('${{ vars.A2A_TOTP_URL }}')
  })

  it('stores both secrets from standard input', async () => {
    const lines = (await client('github')).split('\n').filter((line) => line.includes('gh secret set'))
    expect(lines.map((line) => /\| gh secret set (\w+)$/.exec(line)?.[1])).toEqual([
      'A2A_TOTP_TOKEN',
      'A2A_TOTP_SEED',
    ])
  })
})

describe('curl', () => {
  it('is handed any URL as one word', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const plain = text.replaceAll('\0', '')
        expect(sourcedBySh(`V=${quoteForShell(plain)}\n`, ['V'])).toEqual({ V: plain })
      }),
      { numRuns: 30 },
    )
  })

  it('gets the headers on standard input', async () => {
    expect(await client('curl')).toContain('a2a-totp code alice --headers | curl ')
    expect(await client('curl', alice, {})).toContain('--header @- "${A2A_TOTP_URL:?')
  })
})

describe.each(['python', 'crewai', 'typescript', 'yaml', 'kubernetes', 'compose', 'systemd'] as const)(
  'the server fragment %s',
  (format) => {
    it('begins with what it is and what made it', async () => {
      expect((await server(format)).slice(0, 500)).toMatch(/^("""|#|\/\/)[^]*a2a-totp config server/)
    })
  },
)

describe.each(['python', 'crewai', 'typescript', 'yaml', 'kubernetes', 'github', 'curl'] as const)(
  'the client fragment %s',
  (format) => {
    it('begins with what it is and what made it', async () => {
      expect((await client(format)).slice(0, 500)).toMatch(/^("""|#|\/\/)[^]*a2a-totp config client/)
    })
  },
)
