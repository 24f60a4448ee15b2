import { useCompileCache } from './compile-cache.js'

/** Runs the command line of this process. The rest is loaded with the compile cache on. */
export function run(): void {
  useCompileCache(process.env)
  void import('./main.js').then(({ run }) => run())
}
