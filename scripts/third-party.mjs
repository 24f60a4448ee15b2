// What other people's code the tarball holds: its licences for whoever uses it, and a bill of materials for whoever
// checks it. Both are made from what the bundler put into the bundles, not from what package.json says, and are the same
// for the same code.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import parseExpression from 'spdx-expression-parse'

const root = fileURLToPath(new URL('..', import.meta.url))
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * @typedef {object} ThirdParty
 * @property {string} name
 * @property {string} version
 * @property {string} license an SPDX expression
 * @property {number} bytes in all bundles, minified; 0 for a dependency that is installed and not bundled
 * @property {string} text of its licence
 * @property {object} manifest its package.json
 */

/** Writes `sbom.cdx.json` and `THIRD-PARTY-NOTICES.txt`. */
export function writeThirdParty(metafiles, folder) {
  const packages = thirdParty(metafiles)
  writeFileSync(join(folder, 'sbom.cdx.json'), bill(packages))
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices(packages))
}

/**
 * The packages in the bundles, and those that are installed with this one, by name and version.
 *
 * @returns {ThirdParty[]}
 */
function thirdParty(metafiles) {
  const found = new Map(Object.keys(own.dependencies).map((name) => [`node_modules/${name}`, nothing()]))
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = packageFolder(path)
        if (folder === undefined) continue
        const known = found.get(folder) ?? nothing()
        known.bytes += bytesInOutput
        known.files.push(path)
        found.set(folder, known)
      }
    }
  }
  return [...found]
    .map(([folder, used]) => readPackage(folder, used))
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))
}

const nothing = () => ({ bytes: 0, files: [] })

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for a file of ours. */
const packageFolder = (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]

/** @returns {ThirdParty} */
function readPackage(folder, { bytes, files }) {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const { name, version } = manifest
  const license = licenceOf(manifest)
  return {
    ...{ name, version, license, bytes },
    text: licenceText(join(root, folder), manifest, license, files),
    manifest: { ...manifest, license, licenses: undefined },
  }
}

/** Licences that a package spells in its own way. */
const spdxOf = { 'Apache 2.0': 'Apache-2.0' }

/** Its SPDX expression. Older packages have an object, or a list of such. */
function licenceOf({ name, license, licenses }) {
  const [first] = licenses ?? []
  const stated = license?.type ?? license ?? first?.type
  const given = spdxOf[stated] ?? stated
  try {
    parseExpression(given)
    return given
  } catch {
    throw new Error(`${name} states no licence that SPDX has: ${given}`)
  }
}

function licenceText(folder, { name }, license, files) {
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(one))
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim()
  const readme = ['README.md', 'readme.md'].map((one) => join(folder, one)).find(existsSync)
  const inReadme = readme && /^#+ licen[cs]e$[^]*?(?=^#|(?![^]))/im.exec(readFileSync(readme, 'utf8'))?.[0]
  if (inReadme) return inReadme.trim()
  const heads = headsOf(files)
  if (heads.length === 0) throw new Error(`${name} has no text of its licence`)
  // What a head of a file refers to and does not contain.
  const apache = license.includes('Apache-2.0')
    ? [readFileSync(join(root, apacheLicence), 'utf8').trim()]
    : []
  return [...heads, ...apache].join('\n\n')
}

const apacheLicence = 'node_modules/@grpc/grpc-js/LICENSE'

/** The comments about copyright that files begin with, each once. */
function headsOf(files) {
  const comments = files.map(
    (file) => /^(?:\/\/.*\n)+/.exec(readFileSync(join(root, file), 'utf8'))?.[0] ?? '',
  )
  const about = comments.filter((comment) => /copyright/i.test(comment))
  return [...new Set(about)].map((comment) => comment.replace(/^\/\/ ?/gm, '').trim())
}

/** CycloneDX 1.6, without a time or a serial number. */
function bill(packages) {
  const fromManifest = new Contrib.FromNodePackageJson.Builders.ComponentBuilder(
    new Contrib.FromNodePackageJson.Factories.ExternalReferenceFactory(),
    new Contrib.License.Factories.LicenseFactory(parseExpression),
  )
  const component = (manifest, type) => {
    const { name, version } = manifest
    const made = fromManifest.makeComponent(manifest, type)
    made.purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    made.bomRef.value = made.purl
    return made
  }
  const main = component(own, Enums.ComponentType.Application)
  const parts = packages.map(({ manifest, bytes }) => {
    const part = component(manifest, Enums.ComponentType.Library)
    part.scope = Enums.ComponentScope.Required
    if (bytes > 0) part.properties.add(new Models.Property('a2a-totp:bundled', 'true'))
    main.dependencies.add(part.bomRef)
    return part
  })
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: main }) })
  for (const part of parts) bom.components.add(part)
  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 2 })}\n`
}

function notices(packages) {
  const kib = (bytes) => (bytes === 0 ? 'installed beside' : `${(bytes / 1024).toFixed(1)} KiB`)
  const width = Math.max(...packages.map(({ name, version }) => `${name} ${version}`.length))
  const table = packages.map(
    ({ name, version, license, bytes }) =>
      `${`${name} ${version}`.padEnd(width)}  ${license.replace(/[()]/g, '').padEnd(27)}  ${kib(bytes)}`,
  )
  const texts = [...groupedByText(packages)].map(
    ([text, names]) => `${'='.repeat(100)}\n${names.join('\n')}\n\n${text}\n`,
  )
  const head = `The bundles in dist/cli contain code of other packages, minified, so much in all bundles together:\n\n`
  return `${head}${table.join('\n')}\n\n${texts.join('\n')}`
}

/** @returns {Map<string, string[]>} */
function groupedByText(packages) {
  const groups = new Map()
  for (const { name, version, text } of packages) {
    groups.set(text, [...(groups.get(text) ?? []), `${name} ${version}`])
  }
  return groups
}
