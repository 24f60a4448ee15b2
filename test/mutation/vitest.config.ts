import { defineConfig, type Plugin } from 'vitest/config'

/** The tool asks for threads, but some of these tests set the umask, which only a process can. */
const inProcesses: Plugin = {
  name: 'in-processes',
  configureVitest: ({ project }) => {
    project.config.pool = 'forks'
  },
}

/** For `npm run test:mutation`: the tests of one folder, named by `$MUTATED`. */
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [inProcesses],
        test: {
          name: 'mutation',
          include: [`test/${process.env['MUTATED'] ?? '{core,state,store}'}/**/*.test.ts`],
          // Processes of their own run without the mutant, and to derive a key takes seconds, for each mutant again.
          exclude: ['test/store/processes.test.ts', 'test/store/passphrase.test.ts'],
          testTimeout: 60_000,
          setupFiles: ['test/support/secrets-equal.ts'],
          env: { NODE_EXTRA_CA_CERTS: '' },
        },
      },
    ],
  },
})
