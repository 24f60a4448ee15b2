import { runCli } from './cli.js'

/** What `config client` prints for a peer of the store in a folder, as an environment. */
export async function clientVariables(cwd: string, peer = 'alice'): Promise<Record<string, string>> {
  const { stdout } = await runCli(['config', 'client', peer], { cwd })
  const lines = stdout.split('\n').filter((line) => line.startsWith('A2A'))
  return Object.fromEntries(lines.map((line) => line.split('=') as [string, string]))
}
