import { defineConfig, type Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The tool asks for threads, but some of these tests set the umask, which only a process can. */
const inProcesses: Plugin = {
  name: 'in-processes',
  configureVitest: ({ project }) => {
    project.config.pool = 'forks'
  },
}

/** A run ends with the first test that notices the mutant: those that derive a key from a passphrase come last. */
class CheapestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification): number => Number(moduleId.includes('encryption'))
    return Promise.resolve(files.sort((a, b) => cost(a) - cost(b)))
  }
}

/** For `npm run test:mutation`: the tests of one folder, named by `$MUTATED`. */
export default defineConfig({
  test: {
    sequence: { sequencer: CheapestFirst },
    projects: [
      {
        plugins: [inProcesses],
        test: {
          name: 'mutation',
          include: [`test/${process.env['MUTATED'] ?? '{core,guards,store}'}/**/*.test.ts`],
          // Its processes would run without the mutant.
          exclude: ['test/store/processes.test.ts'],
          testTimeout: 60_000,
          setupFiles: ['test/support/secrets-equal.ts'],
          env: { NODE_EXTRA_CA_CERTS: '' },
        },
      },
    ],
  },
})
