import { defineConfig } from 'vitest/config'
import pins from './test/stacks/pins.json' with { type: 'json' }
import { vitePythonPackage } from './scripts/python-package.mjs'

/** What esbuild's text loader does for the CLI: a template, say, is imported as its text. */
const filesAsText = {
  name: 'files-as-text',
  transform: (text: string, id: string) =>
    id.endsWith('.text') ? { code: `export default ${JSON.stringify(text)}`, map: null } : undefined,
}

/** Whether this run is recorded: see test/long/secrecy.test.ts. */
const recorded = process.env['SECRECY_NOTES'] !== undefined

const project = (name: string, include: string[], testTimeout: number) => ({
  plugins: [filesAsText, vitePythonPackage],
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: 60_000,
    env: { NODE_EXTRA_CA_CERTS: '' },
    setupFiles: [
      'test/support/secrets-equal.ts',
      'test/support/patient-waits.ts',
      ...(recorded ? ['test/secrecy/setup.ts'] : []),
    ],
  },
})

/** The tests of a stack have its name. */
const stacksInCi = Object.entries(pins)
  .filter(([, pin]) => 'ci' in pin && pin.ci)
  .map(([name]) => `test/stacks/${name}.test.ts`)

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        ...project('suite', ['test/**/*.test.ts'], 120_000),
        test: {
          ...project('suite', ['test/**/*.test.ts'], 120_000).test,
          // The scanner's own tests plant secrets.
          exclude: [
            'test/interop/**',
            'test/stacks/**',
            'test/long/**',
            ...(recorded ? ['test/secrecy/**'] : []),
          ],
        },
      },
      project('stacks', ['test/stacks/**/*.test.ts'], 120_000),
      project('interop', ['test/interop/**/*.test.ts', ...stacksInCi], 120_000),
      project('long', ['test/long/**/*.test.ts'], 1_800_000),
    ],
  },
})
