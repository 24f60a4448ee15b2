import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

// Writes files as safely as can be, and nothing else: each under another name, synced, renamed, and its folder synced.
// node bare-writes.mjs LIST FOLDER: LIST is a JSON array of [relative path, size].

const [list = '', folder = ''] = process.argv.slice(2)
for (const [file, size] of JSON.parse(readFileSync(list, 'utf8')) as [string, number][]) {
  const path = join(folder, file)
  mkdirSync(dirname(path), { recursive: true })
  const written = openSync(`${path}.tmp`, 'wx', 0o600)
  writeFileSync(written, Buffer.alloc(size, 120))
  fsyncSync(written)
  closeSync(written)
  renameSync(`${path}.tmp`, path)
  const parent = openSync(dirname(path), 'r')
  fsyncSync(parent)
  closeSync(parent)
}
