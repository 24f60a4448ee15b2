import { describe, expect, it } from 'vitest'
import {
  parseIgnoreRows,
  probe,
  type CheckResult,
  type ProbeOptions,
  type ProbeReport,
} from '../../src/probe/index.js'
import type { IgnoreRow } from '../../src/probe/options.js'
import { findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

const row = (id: IgnoreRow['id'], more: Partial<IgnoreRow> = {}): IgnoreRow => ({
  ...{ id, reason: 'known to the team', expires: new Date('2030-06-01T00:00:00Z') },
  ...more,
})
const expired = { expires: midStep }

/** Refuses with 403 over REST alone. */
const forbids = {
  refuse: (
    response: { writeHead: (status: number) => { end: () => void } },
    _: unknown,
    call: { binding: string },
  ) => {
    if (call.binding !== 'rest') return false
    response.writeHead(403).end()
    return true
  },
}

const probed = async (quirks: object, options: Partial<ProbeOptions>): Promise<ProbeReport> =>
  (await probeAgent(quirks, options)).report
const checksOf = ({ checks }: ProbeReport, id: string): readonly CheckResult[] =>
  checks.filter((check) => check.id === id)

describe('what is ignored', () => {
  it('is a skip with its reason and expiry, and what was seen', async () => {
    const plain = await probed(forbids, {})
    const report = await probed(forbids, { ignore: [row('status')], strict: true })
    expect(findings(plain)).toEqual({ status: 'warn' })
    expect(findings(report)).toEqual({})
    expect(report.ok).toBe(true)
    const rest = checksOf(report, 'status').filter(({ binding }) => binding === 'rest')
    for (const check of rest) {
      expect(check).toMatchObject({ status: 'skip', ignored: true, actual: 'HTTP 403' })
      expect(check.detail).toMatch(
        /^ignored until 2030-06-01T00:00:00\.000Z: known to the team \(it warned: .+\)$/,
      )
    }
    expect(checksOf(report, 'status').filter(({ binding }) => binding !== 'rest')).not.toContainEqual(
      expect.objectContaining({ ignored: true }),
    )
    const { summary } = report
    expect(summary.skipped).toBe(plain.summary.skipped + plain.summary.warned)
  })

  it('is of one cell where the row names one', async () => {
    const ignore = [row('status', { cell: 'rest/1.0' })]
    const report = await probed(forbids, { ignore, only: ['status'] })
    expect(
      checksOf(report, 'status')
        .filter(({ binding }) => binding === 'rest')
        .map(({ protocolVersion, status }) => `${protocolVersion} ${status}`),
    ).toEqual(['1.0 skip', '0.3 warn'])
  })

  it('is a failure of the agent as a whole, too', async () => {
    const card = (one: object, origin: string): unknown =>
      JSON.parse(JSON.stringify(one).replaceAll(`${origin}/rest`, 'https://elsewhere.example/rest'))
    expect((await probed({ card }, {})).ok).toBe(false)
    const report = await probed({ card }, { ignore: [row('coverage')] })
    expect(report.ok).toBe(true)
    expect(checksOf(report, 'coverage')).toMatchObject([{ status: 'skip', ignored: true }])
  })

  it('is never that right credentials were not let in', async () => {
    const answers = (
      response: { writeHead: (status: number) => { end: () => void } },
      call: { binding: string },
    ) => {
      if (call.binding !== 'rest') return false
      response.writeHead(404).end()
      return true
    }
    const ignore = [row('coverage'), row('auth.valid'), row('status')]
    const report = await probed({ answers }, { ignore })
    expect(report.ok).toBe(false)
    expect(checksOf(report, 'coverage')).toMatchObject([{ status: 'fail' }])
    const nobody = await probed({ peersOf: () => [] }, { ignore, only: ['auth.valid'] })
    expect(nobody.ok).toBe(false)
  })

  it('is nothing where nothing answers', async () => {
    const options = { ...probeOptions('http://127.0.0.1:1', stillClock(midStep)), ignore: [row('reach')] }
    expect(await probe(options)).toMatchObject({ ok: false, reachable: false })
  })
})

describe('a row that ignores nothing', () => {
  it('because it expired is a warning, and what it was for counts', async () => {
    const report = await probed(forbids, { ignore: [row('status', expired)] })
    expect(findings(report)).toEqual({ status: 'warn', coverage: 'warn' })
    expect(checksOf(report, 'coverage')[0]?.detail).toContain(
      'the row to ignore status expired on 2030-01-01T00:00:10.000Z',
    )
    expect(report.ok).toBe(true)
  })

  it('because nothing needed it is a warning, so strict fails', async () => {
    const ignore = [row('auth.none', { cell: 'grpc/1.0' }), row('card.totp')]
    const report = await probed({}, { ignore })
    expect([report.ok, findings(report)]).toEqual([true, { coverage: 'warn' }])
    expect(checksOf(report, 'coverage')[0]?.detail).toMatch(
      /auth\.none in grpc\/1\.0 is not needed.*card\.totp is not needed/,
    )
    expect((await probed({}, { ignore, strict: true })).ok).toBe(false)
    const narrowed = await probed({}, { ignore: [row('card.totp')], only: ['card.totp'] })
    expect(findings(narrowed)).toEqual({ coverage: 'warn' })
  })

  it('because its check or cell was left out is none', async () => {
    const ignore = [row('card.totp'), row('auth.none', { cell: 'grpc/1.0' })]
    expect(findings(await probed({}, { ignore, only: ['auth.none'], binding: 'rest' }))).toEqual({})
  })
})

describe('the file of --ignore', () => {
  const whole = { id: 'status', cell: 'rest/1.0', reason: 'r', expires: '2030-06-01T02:00:00+02:00' }

  it('is a list of rows', () => {
    expect(parseIgnoreRows('[]')).toEqual([])
    expect(
      parseIgnoreRows(`\ufeff${JSON.stringify([whole, { ...whole, id: 'tls', cell: undefined }])}`),
    ).toEqual([
      { ...whole, expires: new Date('2030-06-01T00:00:00Z') },
      { id: 'tls', reason: 'r', expires: new Date('2030-06-01T00:00:00Z') },
    ])
  })

  it.each([
    ['{}', 'not a JSON array'],
    ['', 'not JSON: line 1, column 1: expected a value'],
    ['null', 'not a JSON array'],
    ['[1]', 'row 1 of the file given to --ignore is not an object'],
    [[whole, null], 'row 2'],
    [[{ ...whole, id: 'auth.magic' }], 'no check with such an id; the checks are reach'],
    [[{ ...whole, id: 'constructor' }], 'no check with such an id'],
    [[{ ...whole, id: undefined }], 'no check with such an id'],
    [[{ ...whole, id: ['status'] }], 'no check with such an id'],
    [[{ ...whole, reason: undefined }], 'no reason'],
    [[{ ...whole, reason: ' ' }], 'no reason'],
    [[{ ...whole, reason: 7 }], 'no reason'],
    [[{ ...whole, expires: undefined }], 'no expiry'],
    [[{ ...whole, expires: '2030-06-01' }], 'no expiry'],
    [[{ ...whole, expires: '2030-02-30T00:00:00Z' }], 'no expiry'],
    [[{ ...whole, expires: 1_900_000_000 }], 'no expiry'],
    [[{ ...whole, cell: 'REST 1.0' }], 'unknown cell'],
    [[{ ...whole, cell: 'rest/2.0' }], 'unknown cell'],
    [[{ ...whole, cell: '' }], 'unknown cell'],
    [[{ ...whole, cell: null }], 'unknown cell'],
    [[{ ...whole, id: 'tls' }], 'tls concerns the agent as a whole'],
    [[{ ...whole, expire: 'never' }], 'unknown field'],
  ])('is refused as %j: %s', (rows, said) => {
    const text = typeof rows === 'string' ? rows : JSON.stringify(rows)
    expect(() => parseIgnoreRows(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }) as Error)
    expect(() => parseIgnoreRows(text)).toThrow(said)
  })
})

describe('narrowed', () => {
  it.each<[Partial<ProbeOptions>, readonly string[]]>([
    [{}, []],
    [{ strict: true, deadlineMs: 60_000, only: [], skip: [] }, []],
    [{ only: ['auth.none', 'auth.valid'] }, ['--only auth.none,auth.valid']],
    [
      { skip: ['leak'], binding: 'rest', protocol: '1.0' },
      ['--skip leak', '--binding rest', '--protocol 1.0'],
    ],
    [{ ignore: [], ignoreFile: 'ci/known.json' }, ['--ignore ci/known.json']],
    [{ ignore: [], ignoreFile: 'a\u001b[31m.json' }, ['--ignore a [31m.json']],
  ])('has of %j the options as given', async (options, expected) => {
    const report = await probed({}, options)
    expect(report.narrowed).toEqual(expected)
    expect(report.ok).toBe(true)
  })

  it('is said of a run that nothing answered, too', async () => {
    const options = { ...probeOptions('http://127.0.0.1:1', stillClock(midStep)), binding: 'rest' as const }
    expect((await probe(options)).narrowed).toEqual(['--binding rest'])
  })
})
