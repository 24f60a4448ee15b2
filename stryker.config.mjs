// Run by scripts/test-mutation.mjs, once for each part of test/mutation/parts.json.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const name = process.env.MUTATED
const parts = JSON.parse(readFileSync(new URL('test/mutation/parts.json', import.meta.url), 'utf8'))

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: availableParallelism(),
  mutate: parts[name].mutate,
  // What is unchanged since the last run, and whose tests are, keeps its result.
  incremental: true,
  incrementalFile: `reports/mutation/${name}.incremental.json`,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  clearTextReporter: { logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  tempDirName: `.stryker-tmp/${name}`,
  ignorePatterns: ['.venvs', '.stryker-tmp', 'reports'],
  // A busy machine is slow, which is no test that notices.
  timeoutMS: 10_000,
  dryRunTimeoutMinutes: 15,
  warnings: { slow: false },
  thresholds: { high: 95, low: 85, break: 85 },
}
