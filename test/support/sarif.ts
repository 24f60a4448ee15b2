import { readFileSync } from 'node:fs'
import Ajv from 'ajv'
import draft04 from 'ajv/lib/refs/json-schema-draft-04.json' with { type: 'json' }
import { expect } from 'vitest'

type Properties = Readonly<Record<string, unknown>>

export interface SarifResult {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string }
      readonly region: { readonly startLine: number }
    }
  }[]
  readonly partialFingerprints: Readonly<Record<string, string>>
  readonly suppressions?: readonly { readonly justification: string }[]
}

export interface SarifRun {
  readonly tool: {
    readonly driver: { readonly rules: readonly { readonly id: string; readonly properties: Properties }[] }
  }
  readonly results: readonly SarifResult[]
  readonly invocations: readonly { readonly executionSuccessful: boolean; readonly startTimeUtc: string }[]
  readonly properties: Record<string, unknown>
}

const schema = JSON.parse(
  readFileSync(new URL('../probe/schemas/sarif-schema-2.1.0.json', import.meta.url), 'utf8'),
) as object
const isSarif = new Ajv({ schemaId: 'auto', meta: false }).addMetaSchema(draft04).compile(schema)

/** The one run of a document that is valid by the schema of SARIF 2.1.0. */
export function sarifRun(text: string): SarifRun {
  const document: unknown = JSON.parse(text)
  expect({ valid: isSarif(document), errors: isSarif.errors }).toEqual({ valid: true, errors: null })
  const [run] = (document as { runs: readonly SarifRun[] }).runs
  if (!run) throw new Error('no run')
  return run
}
