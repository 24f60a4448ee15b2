import { parseAllDocuments } from 'yaml'
import { invalidImport } from '../fields.js'

// A bundle of its own: parsing YAML takes a library that nothing else needs.

/**
 * Returns the documents of a YAML text.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` with line and column, and nothing of the text, which may be a secret
 */
export function yamlDocuments(text: string): unknown[] {
  return [...parseAllDocuments(text)].map((document) => {
    const [error] = document.errors
    if (error) throw invalidImport(`the file to import is not YAML${placeOf(error.linePos?.[0])}`)
    try {
      return document.toJS({ maxAliasCount: 100 }) as unknown
    } catch {
      throw invalidImport('the file to import has too many aliases for YAML that people write')
    }
  })
}

function placeOf(place: { readonly line: number; readonly col: number } | undefined): string {
  return place ? `: line ${place.line}, column ${place.col}` : ''
}
