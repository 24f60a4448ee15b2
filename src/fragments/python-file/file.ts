import { printImports } from './imports.js'
import { parseModule, type Need, type PythonModule } from './module.js'

/** The modules of the package, by their paths in it. */
export type PackageSources = Readonly<Record<string, string>>

/** A file that stands for the part of the package that it needs. */
export interface PythonFile {
  /** What it is and how it is used: its docstring. */
  readonly about: string
  /** The modules that a user of the file imports from, such as `scheme.scheme`; what they need comes with them. */
  readonly modules: RegExp
  /**
   * New names, for what crewAI's part calls by another name because it has that name itself. As long as the old ones, so that
   * the lines remain formatted.
   */
  readonly renames?: Readonly<Record<string, string>>
}

/**
 * Puts modules of the package into one file: a docstring, one block of imports, and a section for each module, behind those
 * that it needs. That works because no name at the top level of a module is in two of them.
 *
 * @throws {Error} for a name that two of the modules define, or none
 */
export function pythonFile(sources: PackageSources, { about, modules, renames = {} }: PythonFile): string {
  const parsed = new Map(
    Object.entries(sources).map(([path, text]) => {
      const module = parseModule(path, text)
      return [module.name, module]
    }),
  )
  const needed = inOrder(parsed, modules)
  const ordered = needed.map((module) => renamed(module, renames))
  refuseDuplicates(ordered)
  const imports = ordered.flatMap((module) => module.imports)
  return `"""${about.trim()}
"""

${printImports(imports)}
${ordered.map(section).join('\n\n')}`
}

/** Each module once, behind what it needs when it is loaded. */
function inOrder(modules: ReadonlyMap<string, PythonModule>, roots: RegExp): PythonModule[] {
  const ordered: PythonModule[] = []
  const seen = new Set<PythonModule>()
  const add = (module: PythonModule): void => {
    if (seen.has(module)) return
    seen.add(module)
    const needs = module.needs.map((need) => [need.whenLoaded, placeOf(modules, need)] as const)
    for (const [whenLoaded, place] of needs) if (whenLoaded) add(place)
    ordered.push(module)
    for (const [, place] of needs) add(place)
  }
  const found = [...modules.values()].filter(({ name }) => roots.test(name))
  if (found.length === 0) throw new Error(`the package has no module like ${roots.source}`)
  found.forEach(add)
  return ordered
}

/** The module that defines a name, whoever re-exports it. */
function placeOf(modules: ReadonlyMap<string, PythonModule>, { from, name }: Need): PythonModule {
  const named = modules.get(from)
  if (named?.defines.includes(name)) return named
  const places = [...modules.values()].filter(
    (module) => module.name.startsWith(`${from}.`) && module.defines.includes(name),
  )
  const [place] = places
  if (!place || places.length > 1)
    throw new Error(`${String(places.length)} modules of the package define ${name}`)
  return place
}

function renamed(module: PythonModule, renames: Readonly<Record<string, string>>): PythonModule {
  let changed = module
  for (const [old, name] of Object.entries(renames)) {
    // There the name is that of a class of crewAI's.
    if (module.imports.some(({ names }) => names?.includes(old))) continue
    const alias = module.needs.find((need) => need.name === old && need.as !== undefined)?.as
    // It has that name itself, and calls the other one by another.
    const word = new RegExp(`\\b${alias ?? old}\\b`, 'g')
    changed = {
      ...changed,
      body: changed.body.replace(word, name),
      defines: changed.defines.map((each) => (alias === undefined && each === old ? name : each)),
    }
  }
  return changed
}

function refuseDuplicates(modules: readonly PythonModule[]): void {
  const places = new Map<string, string>()
  for (const module of modules)
    for (const name of new Set(module.defines)) {
      const other = places.get(name)
      if (other !== undefined) throw new Error(`${name} is defined in ${other} and in ${module.name}`)
      places.set(name, module.name)
    }
}

function section({ name, summary, body }: PythonModule): string {
  const [paragraph = ''] = summary.trim().split('\n\n')
  const about = `# ${paragraph.replaceAll('\n', ' ')}`
    .replace(/(.{1,116})(?: |$)/g, '$1\n# ')
    .replace(/# $/, '')
  // As ruff places a definition behind a comment.
  const gap = /^(@|class |def |async def )/.test(body) ? '\n\n' : '\n'
  return `${`# ${name} `.padEnd(110, '-')}\n${about}${gap}${body}`
}
