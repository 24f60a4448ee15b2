import { readFileSync } from 'node:fs'
import { parseJson, isObject } from '../../core/json.js'
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

/** The document in a file; undefined when there is none that can be read. */
export function contentOf(path: string): object | undefined {
  try {
    const document = parseJson(readFileSync(path, 'utf8'))
    return isObject(document) ? document : undefined
  } catch {
    return undefined
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
