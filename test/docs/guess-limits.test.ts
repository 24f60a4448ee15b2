import { describe, expect, it } from 'vitest'
import { digitCounts } from '../../src/core/profile.js'
import {
  chanceOfGuess,
  defaultRisk,
  limitsFor,
  riskOf,
  type GuessedProfile,
} from '../../src/state/budgets.js'
import { readPages } from '../support/pages.js'

/** Every page as one line, so that a sentence is found wherever it is wrapped. */
const pages = new Map(readPages().map(({ path, text }) => [path, text.replace(/\s+/g, ' ')]))
const pageAt = (path: string): string => pages.get(path) ?? ''

const usual = { digits: 6, window: 1 } as const
const figure = (count: number): string => count.toLocaleString('en-US')
const limitsOf = (profile: GuessedProfile): string[] => limitsFor(profile).map(({ limit }) => figure(limit))
const [short = '', hour = '', day = ''] = limitsOf(usual)
const inADay = (digits: 6 | 7 | 8): string => limitsOf({ digits, window: 1 })[2] ?? ''

const superscript = (power: string): string =>
  power.replace(/[-0-9]/g, (sign) => (sign === '-' ? '⁻' : ('⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)] ?? '')))
const scientific = (value: number): string => {
  const [mantissa = '', power = ''] = value.toExponential().split('e')
  return `${mantissa} · 10${superscript(power)}`
}
const risk = scientific(defaultRisk)
const years = Math.floor(1 / defaultRisk / 365.25)

describe('what the pages say of guesses', () => {
  it.each([
    ['README.md', `guessing is throttled to one expected hit in ${years} years`],
    [
      'SECURITY.md',
      `${risk} expected accepted guesses a day of one seed: one in ${years} years, and twice that`,
    ],
    [
      'SECURITY.md',
      `With 6 digits and window 1 that is ${short} wrong codes in 30 s, ${hour} in an hour, ${day} in a day`,
    ],
    ['docs/figures.md', `| ${short} in 30 s, ${hour} an hour, ${day} a day (`],
    ['docs/figures.md', `| ${risk}, one in ${years} years |`],
    ['docs/wire.md', `the expected accepted guesses a day of one seed, by default ${risk}.`],
    ['docs/server/scheme.md', `by default ${risk}: one in ${years} years`],
    [
      'docs/server/scheme.md',
      `\`limitsFor({ digits: 6, window: 1 })\` is ${short} in 30 s, ${hour} in an hour, ${day} in a day`,
    ],
    ['docs/server/scheme.md', `here ${riskOf(limitsFor(usual), usual)}`],
    [
      'docs/server/scheme.md',
      `from a window of ${Array.from({ length: 121 }).findIndex((_, window) => chanceOfGuess({ digits: 6, window }) > defaultRisk)} on`,
    ],
    [
      'docs/MIGRATING.md',
      `| ${short} guesses in 30 s, ${hour} an hour, ${day} a day, with 6 digits and window 1 |`,
    ],
    [
      'docs/probing.md',
      `With 6 digits and window 1 a peer may send ${short} wrong codes in 30 seconds and ${day} in a day`,
    ],
    ['docs/fragments/github.md', `with 6 digits the budget is ${short} in half a minute and ${day} a day`],
    [
      'docs/state.md',
      `as many members of 14 bytes as a day allows: ${inADay(6)}, or ${inADay(8)} for 8 digits, with window 1.`,
    ],
    ['docs/scaling.md', `at most ${day} instants for each peer`],
  ])('is what the code computes: %s, %s', (page, said) => {
    expect(pageAt(page)).toContain(said)
  })

  it('is what a run of the probe costs', () => {
    const rows = ([6, 8] as const).map((digits) => {
      const limits = limitsFor({ digits, window: 1 }).map(({ limit }) => limit)
      return [digits, ...limits.map(figure), figure(Math.floor((limits[2] ?? 0) / 4))]
    })
    const shown = Array.from(pageAt('docs/ci/README.md').matchAll(/\| ([68]) \|((?: [\d,]+ \|){4})/g))
    expect(
      shown.map(([, digits, numbers = '']) => [Number(digits), ...(numbers.match(/[\d,]+/g) ?? [])]),
    ).toEqual(rows)
  })

  it('is the whole table on the wire', () => {
    const rows = Array.from(pageAt('docs/wire.md').matchAll(/\| ([678]) \| ([012]) \|((?: [\d,]+ \|){3})/g))
    const shown = rows.map(([, digits, window, limits = '']) => [
      Number(digits),
      Number(window),
      ...(limits.match(/[\d,]+/g) ?? []),
    ])
    const computed = digitCounts.flatMap((digits) =>
      [0, 1, 2].map((window) => [digits, window, ...limitsOf({ digits, window })]),
    )
    expect(shown).toEqual(computed)
  })

  it('is said nowhere else with other numbers', () => {
    const others = [...pages].flatMap(([path, text]) => {
      if (path === 'CHANGELOG.md') return []
      const counts = [
        ...text.matchAll(/([\d,]+) (?:(?:wrong codes|guesses) )?in (?:30 s\b|30 seconds|half a minute)/g),
      ].filter(([, count]) => count !== short)
      const risks = [...text.matchAll(/[\d.]+ ?[·×] ?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*⁻[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g)].filter(
        ([said]) => said !== risk,
      )
      const spans = [...text.matchAll(/(?:hit|one|once) in (\d+) years/g)].filter(
        ([, span]) => Number(span) !== years,
      )
      return [...counts, ...risks, ...spans].map(([said]) => `${path}: ${said}`)
    })
    expect(others).toEqual([])
  })
})
