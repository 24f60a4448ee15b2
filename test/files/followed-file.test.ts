import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { FollowedFile } from '../../src/files/followed-file.js'
import { temporaryFolder } from '../support/folder.js'

vi.mock(import('node:fs'), async (original) => {
  const actual = await original()
  return { ...actual, openSync: vi.fn(actual.openSync) }
})
afterEach(() => {
  vi.mocked(fs.openSync).mockRestore()
})

const folder = temporaryFolder()

it('is read once it can be, where that failed for a while, and the failure is told once', async () => {
  const path = join(folder, 'file')
  fs.writeFileSync(path, 'old')
  const file = new FollowedFile(path)
  file.read()
  const heard: string[] = []
  file.follow({
    changed: ({ text }) => heard.push(text),
    failed: (error) => heard.push((error as Error).message),
  })
  try {
    let failures = 4
    vi.mocked(fs.openSync).mockImplementation(() => {
      failures--
      if (failures <= 0) vi.mocked(fs.openSync).mockRestore()
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    })
    fs.writeFileSync(path, 'new')
    await expect.poll(() => heard).toContain('new')
    await sleep(300)
    expect(heard).toEqual(['cannot be read: EMFILE error', 'new'])
  } finally {
    file.stop()
  }
})
