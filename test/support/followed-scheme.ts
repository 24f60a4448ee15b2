import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi, expect } from 'vitest'
import { memoryState, TOTPServerAuthScheme, type FromFileOptions } from '../../src/server/index.js'

export interface FollowedScheme {
  readonly scheme: TOTPServerAuthScheme
  /** Replaces the file, as a mounted secret is replaced, and waits until it was looked at. */
  readonly replace: (document: object) => Promise<void>
}

let count = 0

/** A scheme that follows a server file in a folder. */
export function followedScheme(
  folder: string,
  document: object,
  options: FromFileOptions = {},
): FollowedScheme {
  const path = join(folder, `followed-${++count}.json`)
  const write = (content: object): void => {
    writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o640 })
    renameSync(`${path}.new`, path)
  }
  write(document)
  let looks = 0
  const scheme = TOTPServerAuthScheme.fromFile(path, {
    state: memoryState({ since: new Date(0) }),
    onEvent: ({ type }) => {
      if (type.startsWith('server_file')) looks++
    },
    ...options,
  })
  return {
    scheme,
    replace: async (content) => {
      const seen = looks
      write(content)
      await vi.waitFor(() => expect(looks).toBeGreaterThan(seen), { interval: 10 })
    },
  }
}
