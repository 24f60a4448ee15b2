import type { FileSystem } from '../../src/store/file-system.js'
import { watchedFs, type Call } from './faulty-fs.js'

export interface DescriptorFs {
  readonly fs: FileSystem
  /** The descriptors of all files that were opened, in order. A number comes again where it was free again. */
  readonly opened: readonly number[]
  /** What was asked to be closed, in order. */
  readonly closed: readonly number[]
}

/** The real file system, as {@link watchedFs} has it, with a record of what is opened and closed. */
export function descriptorFs(before: (call: Call, index: number) => void = () => undefined): DescriptorFs {
  const watched = watchedFs(before)
  const [opened, closed]: [number[], number[]] = [[], []]
  const openSync: FileSystem['openSync'] = (...given) => {
    const file = watched.openSync(...given)
    opened.push(file)
    return file
  }
  const closeSync: FileSystem['closeSync'] = (file) => {
    closed.push(file)
    watched.closeSync(file)
  }
  return { fs: { ...watched, openSync, closeSync }, opened, closed }
}
