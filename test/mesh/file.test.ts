import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { edgesOf, edgesTo, type Mesh } from '../../src/mesh/file/mesh.js'
import { parseMesh } from '../../src/mesh/file/parse.js'
import { isTOTPError } from '../../src/core/errors.js'
import { anyName } from '../support/arbitraries.js'
import { failureOf } from '../support/failure.js'

const path = '/srv/mesh/mesh.yaml'
const parse = (text: string): Mesh => parseMesh(text, path)

/** What is wrong with a text, without the path of the file. */
function problemsOf(text: string): string[] {
  const { code, message } = failureOf(() => parse(text))
  expect(code).toBe('ERR_CONFIG_INVALID')
  expect(message.startsWith(`${path}: line `)).toBe(true)
  return message.slice(`${path}: `.length).split('; line ')
}

const small = `version: 1
agents:
  billing: {url: https://billing.example}
  mail:
    url: https://mail.example
peers:
  alice: {calls: [billing, mail]}
`

/** The small mesh with a line put in place of another. */
const withLine = (old: string, line: string): string => {
  expect(small).toContain(old)
  return small.replace(old, () => line)
}

describe('a mesh file', () => {
  it.each(['', ' ""'])('asks for the url that `mesh init` left empty, as %j', (url) => {
    expect(problemsOf(`version: 1\nagents:\n  a:\n    url:${url}\npeers: {}\n`)).toEqual([
      'line 4: agents.a.url is empty; expected an http or https URL without a user name in it',
    ])
  })

  it('names agents, peers and the edges between them, each with its line', () => {
    const mesh = parse(small)
    expect(mesh).toMatchObject({ path, folder: '/srv/mesh' })
    expect([...mesh.agents.values()]).toEqual([
      { name: 'billing', url: 'https://billing.example', store: '/srv/mesh/stores/billing.json', line: 3 },
      { name: 'mail', url: 'https://mail.example', store: '/srv/mesh/stores/mail.json', line: 4 },
    ])
    expect([...mesh.peers.values()]).toEqual([{ name: 'alice', line: 7 }])
    const edge = { peer: 'alice', overlapMs: 86_400_000, line: 7 }
    expect(mesh.edges).toEqual([
      { ...edge, agent: 'billing' },
      { ...edge, agent: 'mail' },
    ])
    expect([edgesTo(mesh, 'mail').length, edgesOf(mesh, 'alice').length]).toEqual([1, 2])
  })

  it('puts the defaults of an agent in place, and of an edge the nearest that says something', () => {
    const { agents, edges } = parse(`
version: 1
defaults: {replay: once, digits: 8, period: 60, overlap: 1h, rotateAfter: 90d, serverFile: 'out/{name}/server.json', clientFile: 'client-{name}.json'}
agents:
  a: {url: https://a.example, store: ../a.json, signed: require, digits: 7, overlap: 2h, header: X-Code, window: 0}
  b: {url: https://b.example, replay: reuse, serverFile: /etc/b.json, canaries: [trap], allowHosts: [b.internal], deliver: cat}
peers:
  p:
    calls: [a, {agent: b, digits: 6, replay: inherit, note: hello, expires: never, rotateAfter: 1w}]
    replay: once
    signed: accept
    expires: 2027-01-01T00:00:00Z
    deliver: |
      set -e
      cat
`)
    expect(agents.get('a')).toMatchObject({
      ...{ store: '/srv/a.json', serverFile: '/srv/mesh/out/a/server.json', header: 'X-Code', window: 0 },
      ...{ replay: 'once', signed: 'require', digits: 7, period: 60 },
    })
    expect(agents.get('b')).toMatchObject({
      ...{ replay: 'reuse', digits: 8, period: 60, serverFile: '/etc/b.json', deliver: 'cat' },
      ...{ canaries: ['trap'], allowHosts: ['b.internal'] },
    })
    const both = { peer: 'p', period: 60, signed: 'accept', line: 9 }
    expect(edges).toEqual([
      {
        ...{ ...both, agent: 'a', digits: 7, replay: 'once', expires: new Date('2027-01-01T00:00:00Z') },
        ...{ overlapMs: 7_200_000, rotateAfterMs: 90 * 86_400_000 },
      },
      {
        ...{ ...both, agent: 'b', digits: 6, replay: 'inherit', expires: 'never', note: 'hello' },
        ...{ overlapMs: 3_600_000, rotateAfterMs: 7 * 86_400_000 },
      },
    ])
  })

  it('may be JSON, with or without a byte order mark, tabs and line ends of Windows', () => {
    const json = JSON.stringify(
      { version: 1, agents: { a: { url: 'https://a.example', digits: 8 } }, peers: { p: { calls: ['a'] } } },
      null,
      '\t',
    )
    for (const text of [
      json,
      `\uFEFF${json}`,
      json.replaceAll('\n', '\r\n'),
      JSON.stringify(JSON.parse(json)),
    ])
      expect(parse(text).agents.get('a')).toMatchObject({ url: 'https://a.example', digits: 8 })
    expect(parse(`\uFEFF${small.replaceAll('\n', '\r\n')}`).peers.get('alice')?.line).toBe(7)
    expect(problemsOf(json.replace('8', '9'))).toEqual(['line 6: agents.a.digits must be one of 6, 7, 8'])
  })

  it('has names as they are written, also those that look like numbers, words of YAML or parts of objects', () => {
    const names = ['007', '1.0', '1e3', '0x10', 'yes', 'off', 'true', 'constructor', 'toString', '2026-01-01']
    const { agents, edges } = parse(`version: 1
agents: {${names.map((name) => `${name}: {url: https://a.example, note: x}`.replace(', note: x', '')).join(', ')}}
peers: {no: {calls: [${names.join(', ')}], note: 1.50}}
`)
    expect([...agents.keys()]).toEqual(names)
    expect(edges.map(({ agent, peer, note }) => [agent, peer, note])).toEqual(
      names.map((name) => [name, 'no', '1.50']),
    )
  })

  it('may have agents that nobody calls, peers that call nobody, and nothing at all', () => {
    const mesh = parse(
      'version: 1\nagents:\n  a: {url: https://a.example}\npeers:\n  p: {calls: []}\n  q:\n    calls:\n',
    )
    expect([mesh.agents.size, mesh.peers.size, mesh.edges]).toEqual([1, 2, []])
    expect(parse('version: 1\nagents:\npeers: {}\ndefaults:\n').agents.size).toBe(0)
  })

  it('may say once what several share, by aliases and by merged maps, of which the map itself wins', () => {
    const { agents, edges } = parse(`version: 1
defaults: &common {replay: once, digits: 8}
agents:
  a: &a {<<: *common, url: https://a.example}
  b:
    <<: [{digits: 7}, *a]
    url: https://b.example
peers:
  p: {calls: &calls [a, b]}
  q: {calls: *calls}
`)
    expect(agents.get('a')).toMatchObject({ replay: 'once', digits: 8, url: 'https://a.example' })
    expect(agents.get('b')).toMatchObject({ replay: 'once', digits: 7, url: 'https://b.example' })
    expect(edges.map(({ peer, agent }) => `${peer}>${agent}`)).toEqual(['p>a', 'p>b', 'q>a', 'q>b'])
  })

  it('is read the same as YAML and as JSON, whatever is in it', () => {
    const names = fc.uniqueArray(anyName, { minLength: 1, maxLength: 5 })
    const text = fc.stringMatching(/^\S[^\p{Cc}]{0,20}$/u)
    const meshes = fc.record({ agents: names, peers: names, note: text, digits: fc.constantFrom(6, 7, 8) })
    fc.assert(
      fc.property(meshes, ({ agents, peers, note, digits }) => {
        const document = {
          version: 1,
          defaults: { digits },
          agents: Object.fromEntries(agents.map((name) => [name, { url: `https://${name}.example` }])),
          peers: Object.fromEntries(peers.map((name) => [name, { calls: agents, note }])),
        }
        const json = parse(JSON.stringify(document))
        expect(json.edges).toHaveLength(agents.length * peers.length)
        expect(new Set(json.edges.map((edge) => edge.note))).toEqual(new Set([note]))
        const yaml = parse(stringify(document))
        expect(yaml.edges.map((edge) => ({ ...edge, line: 1 }))).toEqual(json.edges)
        expect([...yaml.agents.keys()]).toEqual([...json.agents.keys()])
      }),
    )
  })
})

describe('a mesh file that is not valid', () => {
  it('is told everything that is wrong with it at once, by line and field', () => {
    expect(
      problemsOf(`version: 2
default: {}
agents:
  billing: {url: ftp://billing.example, digits: 9, replya: once}
  a b: {url: https://x.example}
  mail: {url: https://mail.example, store: ~/mail.json}
  files: []
peers:
  alice: {calls: [biling, mail, mail, {agent: mail, replay: no}], expires: tomorrow}
  bob: {calls: mail}
  carol: {call: [mail]}
  dave:
`),
    ).toEqual([
      'line 1: version is that of a newer a2a-totp; update a2a-totp',
      '2: default is not known; did you mean defaults?',
      '4: agents.billing.replya is not known; did you mean replay?',
      '4: agents.billing.url must be an http or https URL without a user name in it',
      '4: agents.billing.digits must be one of 6, 7, 8',
      `5: agents.(a key that is not shown) has a name that is not allowed; use a letter or digit, then up to 63 letters, digits, dots, dashes and underscores`,
      '6: agents.mail.store must be the path of a file, in full or relative to the mesh file; no shell expands a ~ here',
      '7: agents.files must be a map',
      '9: peers.alice.expires must be an RFC 3339 time such as 2027-01-01T00:00:00Z, or never',
      '10: peers.bob.calls must be a list',
      '11: peers.carol.call is not known; did you mean calls?',
      '11: peers.carol.calls is missing',
      '12: peers.dave must be a map',
    ])
  })

  it.each([
    [
      'a call of an agent that is not there',
      'calls: [billing, mial]',
      '7: peers.alice.calls[1] names an agent that is not under agents; did you mean mail?',
    ],
    [
      'a call that is there twice',
      'calls: [mail, billing, {agent: mail}]',
      '7: peers.alice.calls[2] names an agent that is there already; name each once',
    ],
    ['a call without an agent', 'calls: [{note: x}]', '7: peers.alice.calls[0].agent is missing'],
    [
      'a call that is a list',
      'calls: [[mail]]',
      '7: peers.alice.calls[0] must be a letter or digit, then up to 63 letters, digits, dots, dashes and underscores',
    ],
    [
      'an own policy that there is not',
      'calls: [{agent: mail, replay: maybe}]',
      '7: peers.alice.calls[0].replay must be one of once, reuse, inherit',
    ],
    [
      'a wrong duration',
      'calls: [{agent: mail, overlap: 3 days}]',
      '7: peers.alice.calls[0].overlap must be a duration such as 24h: a number followed by s, m, h, d or w',
    ],
    [
      'digits in quotes',
      "calls: [{agent: mail, digits: '8'}]",
      '7: peers.alice.calls[0].digits must be one of 6, 7, 8',
    ],
    [
      'a key that every object has',
      'calls: [{agent: mail, constructor: x}]',
      '7: peers.alice.calls[0].constructor is not known; expected agent, replay, signed, algorithm, digits, period, overlap, rotateAfter, note, expires',
    ],
    [
      'the prototype as a key',
      'calls: [{agent: mail, __proto__: {replay: once}}]',
      '7: peers.alice.calls[0].(a key that is not shown) is not known; expected agent, replay, signed, algorithm, digits, period, overlap, rotateAfter, note, expires',
    ],
    [
      'a control character in a command',
      'calls: [mail], deliver: "a\\0b"',
      '7: peers.alice.deliver must be a command for /bin/sh without control characters',
    ],
  ])('is refused with %s', (_, line, words) => {
    expect(problemsOf(withLine('calls: [billing, mail]', line))).toEqual([`line ${words}`])
  })

  it.each([
    [
      'a key twice',
      small.replace('  mail:', '  billing:'),
      ['4: agents.billing is there twice, first on line 3'],
    ],
    ['a list at the top', '- 1', ['1: the document must be a map with version, agents and peers']],
    ['nothing', '', ['1: the document must be a map with version, agents and peers']],
    ['no version', small.replace('version: 1', ''), ['1: version is missing; write version: 1 at the top']],
    ['a version in quotes', small.replace('1', "'1'"), ['1: version must be 1']],
    [
      'no peers',
      small.replace('peers:', 'defaults:').replace('alice: ', 'digits: 8 #'),
      ['1: peers is missing'],
    ],
    ['a key that is a list', `${small}? [a]\n: b\n`, ['8: the document has a key that is not a word']],
    [
      'a merge of a text',
      small.replace('calls:', '<<: x, calls:'),
      ['7: peers.alice has a << that is not of a map'],
    ],
    [
      'a tag',
      small.replace('https://mail', '!secret https://mail'),
      ['5: column 10: a tag has no meaning here; leave it out'],
    ],
    [
      'a tab as indentation',
      small.replace('    url', '\turl'),
      ['5: column 1: a tab cannot indent; use spaces'],
    ],
    [
      'two documents',
      `${small}---\n${small}`,
      ['8: column 1: a second document begins; a mesh file has one'],
    ],
    [
      'an alias of nothing',
      small.replace('[billing, mail]', '*all'),
      ['7: peers.alice.calls is an alias without an anchor before it'],
    ],
    [
      'an open bracket',
      small.replace(']', ''),
      ['7: column 32: the indentation is wrong here, or a bracket above is not closed'],
    ],
    ['an alias of itself', small.replace('[billing, mail]', '&a [*a]'), ['7: it is nested too deeply']],
  ])('is refused with %s', (_, text, words) => {
    expect(problemsOf(text)).toEqual([`line ${words[0] ?? ''}`])
  })

  it.each([
    [
      'two agents with one store',
      '{store: x.json,',
      '{store: ./x.json,',
      '4: agents.mail.store is the store of agents.billing too; each agent needs a store of its own',
    ],
    [
      'two agents with one server file',
      '{serverFile: x.json,',
      '{serverFile: a/../x.json,',
      '4: agents.mail.serverFile is the server file of agents.billing too; each needs a file of its own; in defaults write {name} in the path',
    ],
    [
      'a server file in place of a store',
      '{',
      '{serverFile: stores/billing.json,',
      '4: agents.mail.serverFile is the store of agents.billing too; each needs a file of its own; in defaults write {name} in the path',
    ],
    [
      'a store in place of the mesh file',
      '{',
      '{store: mesh.yaml,',
      '4: agents.mail.store is the mesh file itself too; each agent needs a store of its own',
    ],
    [
      'a store in place of its state',
      '{',
      '{store: mesh.yaml.state,',
      '4: agents.mail.store is where the tool remembers what it delivered too; each agent needs a store of its own',
    ],
  ])('is refused with %s', (_, billing, mail, words) => {
    const text = `version: 1\nagents:\n  billing: ${billing} url: https://b.example}\n  mail: ${mail} url: https://m.example}\npeers: {}\n`
    expect(failureOf(() => parse(text)).message).toBe(`${path}: line ${words}`)
  })

  it('is refused with a client file of defaults that is one for all', () => {
    const text = small
      .replace('agents:', 'defaults: {clientFile: client.json}\nagents:')
      .replace('peers:', 'peers:\n  bob: {calls: []}')
    expect(problemsOf(text)).toEqual(
      ['line 9: peers.alice.clientFile is the client file of peers.bob too'].map(
        (start) => expect.stringContaining(start) as string,
      ),
    )
  })

  it('is refused with a canary that is there twice, or has the name of a peer that calls the agent', () => {
    expect(
      problemsOf(
        withLine('{url: https://billing.example}', '{url: https://billing.example, canaries: [t, u, t]}'),
      ),
    ).toEqual(['line 3: agents.billing.canaries[2] is there already; name each canary once'])
    expect(
      problemsOf(
        withLine('{url: https://billing.example}', '{url: https://billing.example, canaries: [alice]}'),
      ),
    ).toEqual([
      'line 7: peers.alice.calls[0] calls an agent that has a canary of the name of this peer; rename one of them',
    ])
  })

  it('is told the first twenty problems and the number of the others', () => {
    const calls = Array.from({ length: 30 }, (_, index) => `      - {agent: mail, digits: ${index + 20}}`)
    const text = small.replace(' {calls: [billing, mail]}', `\n    calls:\n${calls.join('\n')}`)
    const { message } = failureOf(() => parse(text))
    expect(message.match(/line \d+:/g)).toHaveLength(20)
    expect(message).toContain('line 9: peers.alice.calls[0].digits must be')
    expect(message.endsWith('; and 10 more')).toBe(true)
  })

  it('never has a value of it in the error, wherever it was damaged', () => {
    const secret = 'NBSWY3DPEB3W64TMMQXC4LQ'
    const text = small
      .replace('https://mail.example', `https://mail.example\n    deliver: curl -H ${secret}`)
      .replace('{calls', `{note: ${secret}, calls`)
    parse(text)
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.nat(3),
        fc.constantFrom('', '"', '\n', '\t', ': ', '- ', '{', ']', '!', '&', '*', '\0', '<<: ', '%'),
        (at, length, put) => {
          let shown = ''
          try {
            parse(text.slice(0, at) + put + text.slice(at + length))
          } catch (error) {
            if (!isTOTPError(error)) throw error
            shown = `${error.message} ${JSON.stringify(error)} ${String(error.cause)}`
            expect(shown).toMatch(/ line \d+: /)
          }
          for (const part of [secret.slice(0, 8), secret.slice(-8)]) expect(shown).not.toContain(part)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('fails in no other way for any text', () => {
    const pieces = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '|',
      '>',
      '#',
      '"',
      '? ',
      '---\n',
      '<<',
      '!x ',
      '%',
      '\t',
      '1',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          parse(parts.join(''))
        } catch (error) {
          expect(isTOTPError(error)).toBe(true)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a hostile mesh file', () => {
  /** Nothing in a mesh file takes time out of proportion: on a busy machine a test has ten seconds. */
  it.each<[string, string, string | undefined]>([
    [
      'a hundred thousand lines',
      `version: 1\nagents: {a: {url: https://a.example}}\npeers:\n${Array.from({ length: 50_000 }, (_, n) => ` p${n}:\n  calls:`).join('\n')}`,
      undefined,
    ],
    [
      'a hundred thousand keys',
      `version: 1\nagents: {}\npeers: {}\ndefaults:\n${Array.from({ length: 90_000 }, (_, n) => ` k${n}: 1`).join('\n')}`,
      'and 89980 more',
    ],
    [
      'more than it may be long',
      `${small}#${'x'.repeat(1024 * 1024)}`,
      'line 1: the file is longer than 1 MiB; split the mesh into several files',
    ],
    [
      'aliases that unfold to a billion',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'abcdefgh'
        .split('')
        .map((name, at, all) =>
          at === 0 ? '' : `${name}: &${name} [${`*${all[at - 1] ?? ''},`.repeat(9)}]\n`,
        )
        .join('')}`,
      'its aliases unfold to too much',
    ],
    [
      'a map merged into itself ever more',
      `a: &a {x: 1}\n${'abcdefghijklmnop'
        .split('')
        .map((name, at, all) =>
          at === 0 ? '' : `${name}: &${name} {<<: [${`*${all[at - 1] ?? ''},`.repeat(9)}]}\n`,
        )
        .join('')}`,
      'its aliases unfold to too much',
    ],
    ['brackets', '['.repeat(100_000), 'nested too deeply'],
    ['dashes', '- '.repeat(100_000), 'nested too deeply'],
    [
      'maps in maps',
      Array.from({ length: 60 }, (_, n) => `${' '.repeat(n)}a:\n`).join(''),
      'nested too deeply',
    ],
    ['commas', `[${','.repeat(50_000)}`, 'column 3: this is not expected here'],
  ])('is read or refused in time: %s', (_, text, words) => {
    if (words === undefined) expect(parse(text).peers.size).toBe(50_000)
    else expect(failureOf(() => parse(text)).message).toContain(words)
  })
})
