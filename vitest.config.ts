import { defineConfig } from 'vitest/config'

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: 60_000, env: { NODE_EXTRA_CA_CERTS: '' } },
})

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        ...project('suite', ['test/**/*.test.ts'], 30_000),
        test: {
          ...project('suite', ['test/**/*.test.ts'], 30_000).test,
          exclude: ['test/interop/**', 'test/long/**'],
        },
      },
      project('interop', ['test/interop/**/*.test.ts'], 120_000),
      project('long', ['test/long/**/*.test.ts'], 1_800_000),
    ],
  },
})
