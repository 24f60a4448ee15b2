/** What the recorder offers to the process that it is loaded into. */
export interface Notes {
  readonly noteSecret: (kind: 'seed' | 'token', value: string) => void
  readonly noteRun: (
    args: readonly string[],
    run: { readonly stdout: string; readonly stderr: string },
  ) => void
}

/** Undefined unless this run of the suite is recorded: see `test/long/secrecy.test.ts`. */
export const notes = (globalThis as unknown as Record<symbol, Notes | undefined>)[Symbol.for('secrecy')]
