import { parseKeyUri } from '../core/key-uri.js'
import { entryOf, type Entry } from './entry.js'
import { isMigration, readMigration } from './migration.js'

/** Key URIs, one a line. A migration URI holds several. Empty lines and remarks behind `#` are skipped. */
export function readKeyUris(text: string): Entry[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    const where = `line ${index + 1}`
    if (isMigration(line)) return readMigration(line, where)
    return entryOf(where, () => {
      const { peer, seed, profile } = parseKeyUri(line)
      return { name: peer, seed, ...profile }
    })
  })
}
