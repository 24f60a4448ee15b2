import { parseAccountUri } from '../core/key-uri.js'
import type { Batches } from './batches.js'
import { entryOf, type Entry } from './entry.js'
import { isMigration, readMigration } from './migration.js'

/** Reads key URIs, one per line. A migration URI contains several. Skips empty lines and `#` comments. */
export function readKeyUris(text: string, batches: Batches): Entry[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    const where = `line ${index + 1}`
    if (isMigration(line)) return readMigration(line, where, batches)
    return entryOf(where, () => {
      const { account, agent, seed, profile } = parseAccountUri(line)
      return { label: account, issuer: agent, request: { seed, ...profile } }
    })
  })
}
