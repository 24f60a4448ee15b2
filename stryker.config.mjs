// Run by scripts/test-mutation.mjs, once for each folder.
const folder = process.env.MUTATED

export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  mutate: [`src/${folder}/**/*.ts`],
  reporters: ['clear-text', 'json'],
  clearTextReporter: { logTests: false, reportTests: false },
  jsonReporter: { fileName: `reports/mutation/${folder}.json` },
  tempDirName: `.stryker-tmp/${folder}`,
  ignorePatterns: ['.venvs', '.stryker-tmp', 'reports'],
  warnings: { slow: false },
  thresholds: { high: 95, low: 85, break: 85 },
}
