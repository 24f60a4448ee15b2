import type { Algorithm, CodeProfile, Digits, ReplayPolicy, TOTPProfile } from '../../core/profile.js'
import type { SignedPolicy } from '../../core/proof/profile.js'

// A mesh as its file declares it, with the defaults put in: what nobody named is undefined, and stays as the store has it.

/** An agent and what its file says of it. */
export interface MeshAgent extends Partial<TOTPProfile> {
  readonly name: string
  readonly url: string
  /** The absolute path of its store. */
  readonly store: string
  /** The agent's own policies. */
  readonly replay?: ReplayPolicy
  readonly signed?: SignedPolicy
  /** Gets the server file on standard input, by `/bin/sh -c` in the folder of the mesh file. */
  readonly deliver?: string
  /** Where the server file is written, as an absolute path. */
  readonly serverFile?: string
  /** The canaries that it should have; undefined: those of the store stay as they are. */
  readonly canaries?: readonly string[]
  /** Hosts besides that of the URL that a probe may send credentials to. */
  readonly allowHosts?: readonly string[]
  /** Of its name in the file, from 1. */
  readonly line: number
}

/** A peer that may call some agents. */
export interface MeshPeer {
  readonly name: string
  /** Gets the client file on standard input. */
  readonly deliver?: string
  /** Where the client file is written, as an absolute path. */
  readonly clientFile?: string
  readonly line: number
}

/** One peer that may call one agent. */
export interface MeshEdge {
  readonly peer: string
  readonly agent: string
  /** Its own policies; `inherit` removes them, so that the agent's apply. */
  readonly replay?: ReplayPolicy | 'inherit'
  readonly signed?: SignedPolicy | 'inherit'
  readonly algorithm?: Algorithm
  readonly digits?: Digits
  /** In seconds. */
  readonly period?: CodeProfile['period']
  readonly note?: string
  /** When its credentials end. */
  readonly expires?: Date | 'never'
  /** How long the old credentials stay valid beside new ones. */
  readonly overlapMs: number
  /** Credentials older than this are rotated. */
  readonly rotateAfterMs?: number
  readonly line: number
}

/** A mesh file, read. */
export interface Mesh {
  /** Absolute. */
  readonly path: string
  /** Of the file; commands run there. */
  readonly folder: string
  readonly agents: ReadonlyMap<string, MeshAgent>
  readonly peers: ReadonlyMap<string, MeshPeer>
  /** Each pair once, in the order of the file. */
  readonly edges: readonly MeshEdge[]
}

/** Without an `overlap` in the file. */
export const defaultOverlapMs = 86_400_000

/** Returns the edges of an agent. */
export const edgesTo = ({ edges }: Mesh, agent: string): MeshEdge[] =>
  edges.filter((edge) => edge.agent === agent)

/** Returns the edges of a peer. */
export const edgesOf = ({ edges }: Mesh, peer: string): MeshEdge[] =>
  edges.filter((edge) => edge.peer === peer)
