/** The fields of a proof, in lower case and in the order in which they are written. */
export const proofFields = ['content-digest', 'signature-input', 'signature'] as const

/** The values of the three fields. */
export type ProofFields = Readonly<Record<(typeof proofFields)[number], string>>

/** A field line: its name in any case, and its value. */
export type FieldLine = readonly [name: string, value: string]

/** The size of the nonces that are made here, in bytes: 128 bits, so that no two proofs of a seed ever share one. */
export const nonceBytes = 16

const spellings: ProofFields = {
  'content-digest': 'Content-Digest',
  'signature-input': 'Signature-Input',
  signature: 'Signature',
}

/** Returns the field lines of a proof, with their names as they are usually written. */
export function linesOfProof(fields: ProofFields): FieldLine[] {
  return proofFields.map((name) => [spellings[name], fields[name]])
}

/** Returns the values of all lines with that name, in order, as a request's `header` does. The name is in lower case. */
export function valuesOf(lines: readonly FieldLine[], name: string): string[] {
  return lines.flatMap(([one, value]) => (one.toLowerCase() === name ? [value] : []))
}
