import * as v from 'valibot'
import { parseRfc3339 } from '../../core/instant.js'
import { parseJson } from '../../core/json.js'
import { jsonText } from '../../core/text.js'
import { replaceBeside } from '../../store/atomic-write.js'
import { fileSystem } from '../../store/file-system.js'
import { readStoreBytes } from '../../store/read-file.js'
import { statePathOf } from '../file/shared-places.js'
import { nothingDelivered, type Delivered, type DeliveryRecord } from './delivered.js'

const version = 1

const instant = v.pipe(
  v.string(),
  v.rawTransform<string, Date>(({ dataset, addIssue, NEVER }) => {
    const at = parseRfc3339(dataset.value)
    if (at) return at
    addIssue({ message: 'no instant' })
    return NEVER
  }),
)
const digests = v.pipe(
  v.record(v.string(), v.string()),
  v.transform((parts) => new Map(Object.entries(parts))),
)
const entry = v.object({ digest: v.string(), at: instant, parts: v.exactOptional(digests) })
const entries = v.record(v.string(), entry)
const schema = v.object({ version: v.literal(version), agents: entries, peers: entries })

/**
 * Reads what was delivered. Nothing, where there is no record, or none that can be relied on: then all is delivered again,
 * which does no harm.
 */
export function readRecord(meshPath: string): DeliveryRecord {
  try {
    // With the rules of a store: a regular file of the user alone.
    const text = Buffer.from(readStoreBytes(statePathOf(meshPath))).toString()
    const { agents, peers } = v.parse(schema, parseJson(text))
    return { agents: new Map(Object.entries(agents)), peers: new Map(Object.entries(peers)) }
  } catch {
    return nothingDelivered
  }
}

/**
 * Remembers what was delivered, whole or not at all. Call it under the lock of the mesh.
 *
 * @throws {TOTPError} `ERR_STORE_UNWRITABLE`
 */
export function writeRecord(meshPath: string, { agents, peers }: DeliveryRecord): void {
  const document = { version, agents: rowsOf(agents), peers: rowsOf(peers) }
  replaceBeside(meshPath, statePathOf(meshPath), Buffer.from(`${jsonText(document, 2)}\n`), fileSystem)
}

const rowsOf = (entriesOf: ReadonlyMap<string, Delivered>): object =>
  Object.fromEntries(
    Array.from(entriesOf, ([name, { digest, at, parts }]) => [
      name,
      { digest, at: at.toISOString(), ...(parts && { parts: Object.fromEntries(parts) }) },
    ]),
  )
