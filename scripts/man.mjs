// Writes the pages of the manual to man/, from the texts that --help prints.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { esbuildPythonPackage } from './python-package.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = `${root}node_modules/.cache/a2a-totp-man/man-pages.mjs`

export async function writeManPages() {
  await build({
    entryPoints: [`${root}scripts/man-pages.ts`],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    loader: { '.text': 'text' },
    plugins: [esbuildPythonPackage],
    logLevel: 'warning',
  })
  const { manPages } = await import(pathToFileURL(bundle).href)
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  rmSync(`${root}man`, { recursive: true, force: true })
  mkdirSync(`${root}man`)
  for (const { file, text } of await manPages({ version, date: releaseDate(version) })) {
    writeFileSync(`${root}man/${file}`, text)
  }
}

/** As the change log has it, so that two builds of a version are the same; none for a version that is not released. */
function releaseDate(version) {
  const changes = readFileSync(`${root}CHANGELOG.md`, 'utf8')
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} .*`, 'm').exec(changes)?.[0]
  return /\d{4}-\d{2}-\d{2}/.exec(heading ?? '')?.[0] ?? ''
}
