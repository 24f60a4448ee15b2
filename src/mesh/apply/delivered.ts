/** What was delivered last to one place: no secret. */
export interface Delivered {
  /** SHA-256 in hex of where it went and what it was; see {@link digestOf}. */
  readonly digest: string
  /** The instant it was made for: what expires later is in it. */
  readonly at: Date
  /** Of a client file: digests of what it says of each agent. */
  readonly parts?: ReadonlyMap<string, string>
}

/** What was delivered, as it is remembered beside the mesh file. */
export interface DeliveryRecord {
  readonly agents: ReadonlyMap<string, Delivered>
  readonly peers: ReadonlyMap<string, Delivered>
}

export const nothingDelivered: DeliveryRecord = { agents: new Map(), peers: new Map() }
