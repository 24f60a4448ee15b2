import type { OutOptions } from '../../io/result-file.js'
import type { ReportTarget } from '../probe/probe-reports.js'
import type { MeshFileOption } from './open-mesh.js'

/** What `mesh prove` is told on the command line. */
export interface ProveCommandOptions extends MeshFileOption, OutOptions {
  only?: string[]
  isolation?: true
  concurrency: number
  strict?: true
  cross?: true
  yes?: true
  forget?: true
  ca?: string
  insecureHttp?: true
  timeout: number
  deadline?: number
  rate?: number
  proxy?: string
  wait?: number
  format?: readonly ReportTarget[]
  /** A folder; false with `--no-keep`. */
  keep?: string | false
}
