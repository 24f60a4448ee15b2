import { describe, expect, it } from 'vitest'
import { readImport } from '../../src/import/index.js'

const seed = 'ONSWKZBAN5TCA5DIMUQGCY3DN52W45A'
const read = async (text: string): Promise<unknown[]> => [
  ...(await readImport([Buffer.from(text)], new Date(), new AbortController().signal)).entries,
]

describe('an account of another tool', () => {
  it('becomes a peer of its label if that is allowed as a name', async () => {
    expect(await read(`otpauth://totp/Acme:alice?secret=${seed}`)).toMatchObject([
      { where: 'line 1', label: 'alice', issuer: 'Acme', request: { name: 'alice' } },
    ])
  })

  it.each([
    ['a mail address', `otpauth://totp/Acme:alice%40example.org?secret=${seed}`, 'alice@example.org'],
    ['a space', `otpauth://totp/build%20agent?secret=${seed}`, 'build agent'],
    ['a space, in CSV', `name,seed\nbuild agent,${seed}`, 'build agent'],
    ['a colon', `otpauth://totp/Acme:a:b?secret=${seed}`, 'a:b'],
  ])('keeps a label with %s for the one who renames it, with everything else', async (_what, text, label) => {
    const [entry] = (await read(text)) as [
      { request: { name?: string; seed: { base32: string } }; nameProblem: string },
    ]
    expect(entry).toMatchObject({ label })
    expect(entry.request).not.toHaveProperty('name')
    expect(entry.request.seed.base32).toBe(seed)
    expect(entry.nameProblem).toContain(`peer name is not allowed: "${label}"`)
  })

  it('without a label has no name', async () => {
    const [entry] = (await read(`otpauth://totp/?secret=${seed}`)) as [{ nameProblem: string }]
    expect(entry).not.toHaveProperty('label')
    expect(entry.nameProblem).toContain('peer name is missing')
  })

  it.each([
    `a ${seed}`,
    `x;${seed.toLowerCase()}`,
    'my a2at_token',
    `a2at_${'A'.repeat(43)}`,
    'ABCD EFGH IJKL MNOP',
  ])('is not quoted where its label may hold a secret: %s', async (label) => {
    const [entry] = (await read(`otpauth://totp/${encodeURIComponent(label)}?secret=${seed}`)) as [
      { nameProblem: string },
    ]
    expect(entry.nameProblem).not.toContain(label)
  })

  it('reports what else is wrong before its name', async () => {
    expect(await read('otpauth://totp/a%20b?secret=1')).toMatchObject([
      { problem: expect.stringContaining('base32') as string },
    ])
  })
})
