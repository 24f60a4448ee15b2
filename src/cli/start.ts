/** Runs the command line of this process. */
export function run(): void {
  void import('./main.js').then(({ run }) => run())
}
