import { sidecarLog, type LogFormat, type SidecarLog } from '../sidecar/observe/log.js'
import type { CliContext } from './context.js'

/** The log of a sidecar, on stderr whatever `--json` says. With `--quiet` it has only what should wake somebody. */
export function logOf({ output, now }: CliContext, format: LogFormat): SidecarLog {
  return sidecarLog({
    format,
    level: output.quiet ? 'warning' : 'info',
    now,
    write: (line) => output.remark(line),
  })
}
