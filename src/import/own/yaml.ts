import { invalidImport } from '../fields.js'
import { inThread } from '../in-thread.js'
import type { Parsed } from './yaml-worker.js'

/** How long the parser may take. What people write takes milliseconds. */
const longestMs = 10_000

/**
 * Returns the documents of a YAML text. It is parsed in a thread: the parser takes minutes and gigabytes for some texts of
 * a few megabytes, since it compares each key with all before it.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` with line and column, and nothing of the text, which may be a secret
 */
export async function yamlDocuments(text: string, signal: AbortSignal): Promise<readonly unknown[]> {
  const parsed = await inThread<Parsed>('import-own-yaml-worker.cjs', text, { longestMs, signal })
  if (parsed === 'too long')
    throw invalidImport(`the YAML takes longer than ${longestMs / 1000} s to read; import it in parts`)
  if (parsed === 'too much memory')
    throw invalidImport('the YAML takes too much memory to read; import it in parts')
  if ('problem' in parsed) throw invalidImport(parsed.problem)
  return parsed.documents
}
