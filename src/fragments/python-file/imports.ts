/** One statement that imports. */
export interface PythonImport {
  readonly module: string
  /** `x` or `x as y`; undefined for `import module`, whose `as` is in {@link module}. */
  readonly names: readonly string[] | undefined
  /** Whether it is read by type checkers alone. */
  readonly typing: boolean
  /** The comment behind it, for tools. */
  readonly comment: string
}

const statement =
  /^([ \t]*)(?:from (\S+) import (?:\(([^)]*)\)|([^\n#]*))|import ([^\n#]*))[^\n#]*(#[^\n]*)?$/gm

/** Reads the statements of a block of imports. Those that are indented are for type checkers. */
export function parseImports(text: string): PythonImport[] {
  return Array.from(text.matchAll(statement)).flatMap((match): PythonImport[] => {
    const [, indent = '', module = '', inParentheses, onLine, plain, after] = match
    const typing = indent !== ''
    if (plain !== undefined)
      return plain
        .split(',')
        .map((each) => ({ module: each.trim(), names: undefined, typing, comment: after ?? '' }))
    const inner = /#[^\n]*/.exec(inParentheses ?? '')?.[0]
    const names = (inParentheses ?? onLine ?? '')
      .replace(/#[^\n]*/g, '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')
    return [{ module, names, typing, comment: after ?? inner ?? '' }]
  })
}

const thirdParty = /^(a2a|crewai|google|grpc|httpx|jwt|pydantic|redis|starlette)(\.|$| )/
/** The default of ruff. With a comma behind the last name, a longer limit changes nothing. */
const lineLength = 88

/** Prints imports as isort and ruff sort them, each name once: what is loaded, then what only type checkers read. */
export function printImports(imports: readonly PythonImport[]): string {
  const loaded = merge(imports.filter(({ typing }) => !typing))
  const known = new Set(loaded.flatMap(keysOf))
  const forTypes = merge(imports.filter(({ typing }) => typing)).flatMap((each) => {
    if (!each.names) return known.has(each.module) ? [] : [each]
    const names = each.names.filter((name) => !known.has(`${each.module} ${name}`))
    return names.length === 0 ? [] : [{ ...each, names }]
  })
  const block = sections(loaded, '')
  if (forTypes.length === 0) return block
  return `${block}\nif TYPE_CHECKING:\n${sections(forTypes, '    ')}`
}

const keysOf = ({ module, names }: PythonImport): string[] =>
  names ? names.map((name) => `${module} ${name}`) : [module]

function merge(imports: readonly PythonImport[]): PythonImport[] {
  const merged = new Map<string, PythonImport>()
  for (const each of imports) {
    const key = `${each.names ? 'from' : 'import'} ${each.module}`
    const before = merged.get(key)
    const names = each.names && [...new Set([...(before?.names ?? []), ...each.names])].sort(byType)
    merged.set(key, {
      ...each,
      names,
      comment: before && before.comment !== '' ? before.comment : each.comment,
    })
  }
  return [...merged.values()]
}

function sections(imports: readonly PythonImport[], indent: string): string {
  const isFuture = ({ module }: PythonImport): boolean => module === '__future__'
  const isThird = ({ module }: PythonImport): boolean => thirdParty.test(module)
  return [
    imports.filter(isFuture),
    imports.filter((each) => !isFuture(each) && !isThird(each)),
    imports.filter(isThird),
  ]
    .filter((section) => section.length > 0)
    .map((section) =>
      section
        .sort(
          (a, b) =>
            Number(a.names !== undefined) - Number(b.names !== undefined) || compare(a.module, b.module),
        )
        .map((each) => printImport(each, indent))
        .join(''),
    )
    .join('\n')
}

function printImport({ module, names, comment }: PythonImport, indent: string): string {
  const after = comment === '' ? '' : `  ${comment}`
  if (!names) return `${indent}import ${module}${after}\n`
  const line = `${indent}from ${module} import ${names.join(', ')}`
  if (line.length <= lineLength && (after === '' || names.length === 1)) return `${line}${after}\n`
  return `${indent}from ${module} import (${after}\n${names.map((name) => `${indent}    ${name},\n`).join('')}${indent})\n`
}

/** Constants, then classes, then others. */
function byType(a: string, b: string): number {
  const rank = (name: string): number =>
    name.length > 1 && name === name.toUpperCase() ? 0 : /^[A-Z]/.test(name) ? 1 : 2
  return rank(a) - rank(b) || compare(a.toLowerCase(), b.toLowerCase()) || compare(a, b)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
