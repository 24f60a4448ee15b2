import { printable } from '../core/text.js'
import type { ProbeOptions } from './options.js'

/** The options that narrow a run, as they are given on the command line; none for a whole run. */
export function narrowedBy(options: ProbeOptions): readonly string[] {
  const { only = [], skip = [], binding, protocol, ignore, ignoreFile } = options
  return [
    ...(only.length > 0 ? [`--only ${only.join(',')}`] : []),
    ...(skip.length > 0 ? [`--skip ${skip.join(',')}`] : []),
    ...(binding === 'auto' ? [] : [`--binding ${binding}`]),
    ...(protocol === 'auto' ? [] : [`--protocol ${protocol}`]),
    ...(ignore === undefined ? [] : [`--ignore ${printable(ignoreFile ?? '')}`.trim()]),
  ]
}
