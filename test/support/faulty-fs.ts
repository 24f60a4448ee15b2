import * as nodeFs from 'node:fs'
import type { FileSystem } from '../../src/store/file-system.js'

/** An error as node:fs throws it. */
export function systemError(errno: string): Error {
  return Object.assign(new Error(`${errno}: injected`), { code: errno })
}

export type Call = keyof FileSystem

/** The real file system, with something done before each call: its name, and how many calls there were before. */
export function watchedFs(before: (call: Call, index: number) => void): FileSystem {
  let index = 0
  return new Proxy(nodeFs, {
    get(target, property: Call) {
      const call = target[property] as (...args: readonly unknown[]) => unknown
      return (...args: readonly unknown[]) => {
        before(property, index++)
        return call(...args)
      }
    },
  })
}
