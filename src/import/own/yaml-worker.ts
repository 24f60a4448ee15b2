import { parentPort, workerData } from 'node:worker_threads'
import { parseAllDocuments } from 'yaml'

/** What the thread that reads YAML answers: nothing of the text in a problem. */
export type Parsed = { readonly documents: readonly unknown[] } | { readonly problem: string }

function parse(text: string): Parsed {
  const documents: unknown[] = []
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors
    if (error) return { problem: `the file to import is not YAML${placeOf(error.linePos?.[0])}` }
    try {
      documents.push(document.toJS({ maxAliasCount: 100 }))
    } catch {
      return { problem: 'the file to import has too many aliases for YAML that people write' }
    }
  }
  return { documents }
}

function placeOf(place: { readonly line: number; readonly col: number } | undefined): string {
  return place ? `: line ${place.line}, column ${place.col}` : ''
}

try {
  parentPort?.postMessage(parse(workerData as string))
} catch {
  // What is nested so deeply that it exhausts the stack cannot be sent either.
  parentPort?.postMessage({ problem: 'the file to import is nested too deeply' } satisfies Parsed)
}
