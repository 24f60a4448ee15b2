// What an import cannot do without: reads a CSV, and writes as many bytes of JSON so that they are on the disk.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { parse } from 'csv-parse/sync'

const [from = '', to = ''] = process.argv.slice(2)
const rows: unknown = parse(readFileSync(from, 'utf8'), { columns: true })
const file = openSync(to, 'w', 0o600)
writeSync(file, JSON.stringify(rows))
fsyncSync(file)
closeSync(file)
