import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import parts from './parts.json' with { type: 'json' }

interface Part {
  readonly tests: string[]
  readonly without?: string[]
  readonly processes?: boolean
}

/** The tool asks for threads, but tests that set the umask need a process. */
const inProcesses: Plugin = {
  name: 'in-processes',
  configureVitest: ({ project }) => {
    project.config.pool = 'forks'
  },
}

const { [process.env['MUTATED'] ?? '']: part } = parts as Partial<Record<string, Part>>
if (part === undefined) throw new Error('$MUTATED is no part of test/mutation/parts.json')

/** For `npm run test:mutation`: the tests of one part, named by `$MUTATED`. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: part.processes ? [inProcesses] : [],
        test: {
          name: 'mutation',
          include: part.tests,
          runner: fileURLToPath(new URL('runner.ts', import.meta.url)),
          exclude: part.without ?? [],
          // All files of a run in one worker, which is a new one for each mutant.
          isolate: false,
          testTimeout: 60_000,
          setupFiles: ['test/support/secrets-equal.ts', 'test/support/patient-waits.ts'],
          env: { NODE_EXTRA_CA_CERTS: '', PATIENCE_MS: '4000' },
        },
      },
    ],
  },
})
