import { parseJson, isObject } from '../../core/json.js'
import { closeQuietly, fileSystem, openExisting } from '../../store/file-system.js'
import type { Mesh } from '../file/mesh.js'
import { digestOf, placeOfAgent, placeOfPeer, type Place } from '../plan/documents.js'
import type { Delivered, DeliveryRecord } from './delivered.js'

/** What was delivered, and is still there. */
export interface SeenRecord extends DeliveryRecord {
  readonly agents: Map<string, Delivered>
  readonly peers: Map<string, Delivered>
}

/** Returns the record without what is no longer in the file that it was written to: it is delivered again. */
export function lookAtFiles(mesh: Mesh, { agents, peers }: DeliveryRecord): SeenRecord {
  return {
    agents: stillThere(agents, (name) => placed(mesh.agents.get(name), placeOfAgent)),
    peers: stillThere(peers, (name) => placed(mesh.peers.get(name), placeOfPeer)),
  }
}

const placed = <T>(one: T | undefined, placeOf: (one: T) => Place | undefined): Place | undefined =>
  one === undefined ? undefined : placeOf(one)

function stillThere(
  delivered: ReadonlyMap<string, Delivered>,
  placeOf: (name: string) => Place | undefined,
): Map<string, Delivered> {
  return new Map(
    [...delivered].filter(([name, { digest }]) => {
      const place = placeOf(name)
      if (place?.file === undefined) return true
      const document = contentOf(place.file)
      return document !== undefined && digestOf(place, document) === digest
    }),
  )
}

/** What a file for many agents takes, many times. */
const mostBytes = 32 * 1024 * 1024

/**
 * The document in a file; undefined when there is none that can be read. Whoever it was delivered to may have put something
 * else there: a pipe nobody writes to is not waited for, and a device not read to its end.
 */
export function contentOf(path: string): object | undefined {
  let file: number | undefined
  try {
    file = fileSystem.openSync(path, openExisting)
    const stats = fileSystem.fstatSync(file)
    if (!stats.isFile() || stats.size > mostBytes) return undefined
    const document = parseJson(fileSystem.readFileSync(file).toString())
    return isObject(document) ? document : undefined
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeQuietly(file, fileSystem)
  }
}

/**
 * Whether a place is to get its document: it has not got what it would have got at that instant. What expires meanwhile is
 * in it, so it is not sent again for that.
 */
export function isDue(
  delivered: Delivered | undefined,
  place: Place,
  documentAt: (at: Date) => object | undefined,
): boolean {
  if (delivered === undefined) return true
  const document = documentAt(delivered.at)
  return document === undefined || digestOf(place, document) !== delivered.digest
}
