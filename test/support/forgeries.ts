import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../src/server/index.js'
import { forge, proofNow, proofOptions, rightParameters, type Forgery } from './proofs.js'

/** What is unusual about a proof, what becomes of it, and how it is made. The MAC is right unless it says otherwise. */
export type Forgeries = Readonly<Record<string, readonly [outcome: string, forgery: Forgery]>>

/** The right parameters with some of them written otherwise, by their keys. */
export const parameters = (changes: Readonly<Record<string, string>>): string =>
  rightParameters.map((one) => changes[one.split('=')[0] ?? ''] ?? one).join(';')
/** The parameter, that many seconds from now. */
export const created = (seconds: number): string => `created=${proofNow + seconds}`
export const expires = (seconds: number): string => `expires=${proofNow + seconds}`

export function describeForgeries(part: string, forgeries: Forgeries): void {
  const rows = Object.entries(forgeries).map(
    ([what, [outcome, forgery]]) => [what, outcome, forgery] as const,
  )
  describe(`a proof with unusual ${part}`, () => {
    it.each(rows)('%s: %s', (_, outcome, forgery) => {
      const { verdict, reason } = verifyProof(forge(forgery), proofOptions)
      expect(reason ?? verdict).toBe(outcome)
    })
  })
}
