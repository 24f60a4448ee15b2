import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { algorithms, digitCounts } from '../../src/core/profile.js'
import { Seed } from '../../src/core/seed.js'
import { generateCodeOfStep } from '../../src/core/totp.js'
import { numbers } from '../support/numbers.js'

const rounds = 1000
/** oathtool prints a run of consecutive codes at the price of one process. */
const codesPerRound = 10

describe('oathtool', () => {
  it(`agrees on ${rounds * codesPerRound} random codes`, () => {
    const random = numbers(20_261_123)
    const pick = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
    for (let round = 0; round < rounds; round++) {
      const [algorithm, digits] = [pick(algorithms), pick(digitCounts)]
      const period = 10 + random(111)
      const seed = Seed.fromBytes(Uint8Array.from({ length: 16 + random(49) }, () => random(256)))
      const timeStep = random(4_000_000_000 / period)
      const flags = [
        `--totp=${algorithm.toLowerCase()}`,
        `-d${digits}`,
        `-s${period}`,
        `-w${codesPerRound - 1}`,
      ]
      const start = new Date(timeStep * period * 1000)
        .toISOString()
        .replace('T', ' ')
        .replace('.000Z', ' UTC')
      // The seed goes in on standard input, as ours would: never as an argument.
      const theirs = execFileSync('oathtool', [...flags, '-N', start, '-b', '-'], {
        input: `${seed.base32}\n`,
      })
      const ours = Array.from({ length: codesPerRound }, (_, step) =>
        generateCodeOfStep(seed, { algorithm, digits, period }, timeStep + step),
      )
      expect(
        theirs.toString().trim().split('\n'),
        `${algorithm}/${digits}/${period} at step ${timeStep}`,
      ).toEqual(ours)
    }
  })
})
