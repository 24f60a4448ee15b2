import { readFileSync } from 'node:fs'
import addFormats from 'ajv-formats'
import Draft04 from 'ajv-draft-04'
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
const ajv = new Draft04.default({ strict: false })
addFormats.default(ajv)
const isSarif = ajv.compile(schema)

/** The one run of a document that is valid by the schema of SARIF 2.1.0. */
export function sarifRun(text: string): SarifRun {
  const document: unknown = JSON.parse(text)
  expect({ valid: isSarif(document), errors: isSarif.errors }).toEqual({ valid: true, errors: null })
  const [run] = (document as { runs: readonly SarifRun[] }).runs
  if (!run) throw new Error('no run')
  return run
}
