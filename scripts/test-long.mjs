// The slow tests, part by part: `npm run test:long [-- PART...] [-- --resume]`. A part is a file of test/long, the suite on
// one Node, or the mutation of one set of files. One that fails does not stop the others. How each ended is kept in
// reports/long.json, and what it printed in reports/long/. --resume leaves out what passed on this very code; --list says
// what there is; Ctrl-C ends the part that runs, of which nothing is kept then.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { codeOf, readNotes, writeNotes } from './long/notes.mjs'
import { notesOn, partsOf, planOf, tableOf } from './long/plan.mjs'
import { runPart } from './long/run-part.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const noted = join(root, 'reports/long.json')
const logs = join(root, 'reports/long')

const parts = partsOf({
  files: readdirSync(join(root, 'test/long'), { recursive: true }),
  mutation: Object.keys(JSON.parse(readFileSync(join(root, 'test/mutation/parts.json'), 'utf8'))),
})

/** @returns the number to exit with */
async function main() {
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'boolean' }, resume: { type: 'boolean' } },
  })
  const notes = readNotes(noted)
  const results = notesOn(notes, codeOf(root))
  const { asked, run } = planOf(parts, { names, resume: values.resume ?? false, notes: results })
  if (values.list) {
    console.log(tableOf(names.length > 0 ? asked : parts, results))
    return 0
  }
  const interruption = new AbortController()
  const { signal } = interruption
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interruption.abort())
  mkdirSync(logs, { recursive: true })
  for (const { name } of run) delete results[name]
  for (const { name, args } of run) {
    console.log(`\n== ${name}`)
    const code = codeOf(root)
    const log = join(logs, `${name.replaceAll('/', '-')}.log`)
    const { passed, seconds, lastLine } = await runPart(args, { cwd: root, log, signal })
    if (signal.aborted) break
    results[name] = { passed, code, seconds, at: new Date().toISOString(), lastLine }
    writeNotes(noted, { ...notes, ...results })
  }
  console.log(`\n${tableOf(asked, results)}`)
  if (signal.aborted) return 130
  return run.every(({ name }) => results[name].passed) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`error: ${error.message}`)
  process.exitCode = 2
}
