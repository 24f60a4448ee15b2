import { describe, expect, it } from 'vitest'
import { defaultProfile } from '../../src/core/profile.js'
import { generateCodeOfStep, timeStepAt } from '../../src/core/totp.js'
import { single, type Quirks } from '../support/broken-agent.js'
import { alice, findings, midStep, probeAgent, probeOptions, stillClock } from '../support/probing.js'

/** Reads superscripts as digits, as NFKC does. */
const normalises: Quirks = { pickCode: (lines) => single(lines)?.normalize('NFKC') }
const dropsBlanks: Quirks = { pickCode: (lines) => single(lines)?.replaceAll(' ', '') }

describe('malformed codes', () => {
  it('show superscripts taken for digits also when the code of now has none of the three that there are', async () => {
    const isBare = (step: number): boolean =>
      !/[123]/.test(generateCodeOfStep(alice.seed, defaultProfile, step))
    let step = timeStepAt(defaultProfile, midStep)
    while (!isBare(step) || isBare(step - 1)) step += 1
    const clock = stillClock(new Date((step * defaultProfile.period + 10) * 1000))
    const { report } = await probeAgent(normalises, {}, clock)
    expect(findings(report)).toEqual({ 'auth.malformed-code': 'fail' })
  })

  it('are made of a code that is not spent, under policy once', async () => {
    const credentials = { ...probeOptions('', stillClock(midStep)).credentials, replay: 'once' as const }
    const { report, said } = await probeAgent({ ...dropsBlanks, once: true }, { credentials })
    expect(findings(report)).toEqual({ 'auth.malformed-code': 'fail' })
    expect(said.filter((line) => line.includes('waiting'))).toHaveLength(3)
  })
})
