import type { ServerResponse } from 'node:http'
import { defaultProfile } from '../../../src/core/profile.js'
import { generateCode } from '../../../src/core/totp.js'
import { checks, type CheckId, type ProbeOptions } from '../../../src/probe/index.js'
import { sendJson, type AgentPeer, type Quirks, type Reason, type Seen } from '../broken-agent.js'

export interface Defect {
  /** What the agent does wrong. */
  readonly name: string
  readonly quirks: Quirks
  /** The checks that name it, and nothing else does. */
  readonly named: Findings
  /** The cells that have it, if not all. */
  readonly cells?: (cell: string) => boolean
  /** What else may name it there, because it follows. */
  readonly follows?: readonly string[]
  /** Set if no agent over gRPC can be like this, or say so. */
  readonly httpOnly?: true
  /** Where to probe it, if not at its base. */
  readonly path?: string
  /** How it is probed, where that matters. */
  readonly options?: (base: ProbeOptions) => Partial<ProbeOptions>
}

export type Findings = Readonly<Record<string, 'fail' | 'warn'>>

/** What the defects need to know of the agent that has them. */
export interface Circumstances {
  readonly peers: readonly AgentPeer[]
  readonly now: () => Date
}

export const fails = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [id, 'fail']))
export const warns = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [id, 'warn']))

/** What a defect is named by in each cell that has it. */
export const ofCells = (named: Findings): Findings =>
  Object.fromEntries(Object.entries(named).filter(([id]) => isOfCell(id)))

/** Findings without those that may follow from a defect. */
export const telling = (
  found: Readonly<Record<string, string>>,
  { follows = [] }: Pick<Defect, 'follows'>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(found).filter(([id]) => !follows.includes(id)))

// An id may be newer than the checks here.
function isOfCell(id: string): boolean {
  const check = checks[id as CheckId] as { scope: string } | undefined
  return check ? check.scope === 'cell' : id.startsWith('auth.')
}

/** Defects that no agent over gRPC can have. */
export const overHttpOnly = (defects: readonly Defect[]): Defect[] =>
  defects.map((defect) => ({ ...defect, httpOnly: true }))

/** Nothing was shown: right credentials were not let in. */
export const notShown = fails('auth.valid', 'coverage')

/** The checks that spend a wrong code. */
export const guesses = [
  'auth.wrong-code',
  'auth.expired-code',
  'auth.future-code',
  'auth.cross-peer',
] as const

/** Quirks of an agent that words its refusals in a way of its own; what `edit` leaves open is refused well. */
export function wordings(edit: (response: ServerResponse, reason: Reason) => void): Quirks {
  return {
    refuse: (response, reason) => {
      edit(response, reason)
      return response.writableEnded
    },
  }
}

export const bare =
  (status: number) =>
  (response: ServerResponse): void =>
    sendJson(response, status, { error: { code: status, message: 'no' } })

/** Whether exactly one Authorization with a peer's token was sent. */
export const isLive =
  (peers: readonly AgentPeer[]) =>
  ({ authorization }: Pick<Seen, 'authorization'>): boolean =>
    authorization.length === 1 && peers.some(({ token }) => authorization[0] === `Bearer ${token}`)

export const hasSixDigits = ({ codes }: Seen): boolean => codes.length === 1 && /^\d{6}$/.test(codes[0] ?? '')

export function codeOf(peer: AgentPeer | undefined, at: Date): string {
  return peer ? generateCode(peer.seed, defaultProfile, at) : ''
}

export function isRight({ codes }: Seen, [peer]: readonly AgentPeer[], at: Date): boolean {
  return codes.length === 1 && codes[0] === codeOf(peer, at)
}
