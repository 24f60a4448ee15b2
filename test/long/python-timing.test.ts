import { expect, it } from 'vitest'
import { describeWith, packagePath, pythonTests, runPython } from '../support/python.js'
import { momentsOf, welchT } from '../support/welch.js'

const rounds = 20_000

/** Without the slowest twentieth, which is the machine's doing: what the kinds cost by themselves. */
function trimmedMeans(samples: readonly (readonly number[])[]): number[] {
  const all = samples.flat().sort((a, b) => a - b)
  const limit = all[Math.floor(all.length * 0.95)] ?? Infinity
  return samples.map((one) => momentsOf(one.filter((took) => took < limit)).mean)
}

/** There is no bound on Welch's t: a branch more or less of an interpreter is seen in 20,000 samples. */
describeWith('a2a-1', 'refusals of the Python package', () => {
  it('are the same, and take as long but for 15 %, whatever was wrong', () => {
    const printed = runPython('a2a-1', [`${pythonTests}timing.py`, String(rounds)], { path: packagePath })
    const samples = JSON.parse(printed) as Record<string, number[]>
    const moments = Object.values(samples).map((one) => momentsOf(one))
    const ts = moments.flatMap((a, n) => moments.slice(n + 1).map((b) => Math.abs(welchT(a, b))))
    const means = trimmedMeans(Object.values(samples))
    const spread = Math.max(...means) / Math.min(...means) - 1
    console.log(
      `in Python: ${rounds} of each of ${Object.keys(samples).join(', ')}: largest |t| ${Math.max(...ts).toFixed(2)}; ` +
        `means without the slowest twentieth differ by at most ${(spread * 100).toFixed(1)} %`,
    )
    expect(ts).toHaveLength(15)
    expect(spread).toBeLessThan(0.15)
  })
})
