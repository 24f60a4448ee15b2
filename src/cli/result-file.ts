import { resolve } from 'node:path'
import { Option } from 'commander'
import { writeNewFile } from '../store/atomic-write.js'
import type { CliContext } from './context.js'

export interface OutOptions {
  out?: string
  force?: true
}

/** `--out` and `--force`, for commands whose result belongs in a file. */
export const outOptions = (): Option[] => [
  new Option('--out <file>', 'write to this file, readable by you alone, instead of to standard output'),
  new Option('--force', 'let --out replace a file that is there'),
]

/** Gives a result where it was asked for: to standard output, or to the file of `--out`. */
export function emit(
  { output, cwd }: CliContext,
  { out, force }: OutOptions,
  text: string,
  json: unknown,
): void {
  if (out === undefined) {
    output.result(text, json)
    return
  }
  const content = output.json ? JSON.stringify(json) : text
  writeNewFile(resolve(cwd, out), content.endsWith('\n') ? content : `${content}\n`, {
    force: force ?? false,
  })
  output.say(`wrote ${out}`)
}
