import { parseImports, type PythonImport } from './imports.js'

/** A module of the package, taken apart. */
export interface PythonModule {
  /** Such as `scheme.request`. */
  readonly name: string
  /** Its docstring. */
  readonly summary: string
  /** At its top, but for those of the package's own modules. */
  readonly imports: readonly PythonImport[]
  /** What it needs of the package: when it is loaded, or only once it is used. */
  readonly needs: readonly Need[]
  /** All names at its top level. */
  readonly defines: readonly string[]
  /** What is below the imports, without imports of the package in functions. */
  readonly body: string
}

/** A name that a module imports from another one. */
export interface Need {
  /** Where from: `state.memory`, or `state`, which re-exports it. */
  readonly from: string
  readonly name: string
  /** What it is called in the module that needs it, where that is another name. */
  readonly as: string | undefined
  readonly whenLoaded: boolean
}

const ofPackage = /^a2a_totp(\.|$)/
const docstring = /^"""([^]*?)"""\n/
/** A statement that imports, whole; or the head of a block that only type checkers read, with its lines. */
const headStatement =
  /^(?:#[^\n]*\n|\n|(?:from \S+ import (?:\([^)]*\)|[^\n(]*)|import [^\n]*)[^\n]*\n|if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n(?=[ \t]))+)/
const innerImport = /^[ \t]+from a2a_totp[\w.]* import (?:\([^)]*\)|[^\n(]*)[^\n]*\n\n?/gm
const definition = /^(?:(?:async )?def|class) +(\w+)|^(\w+)(?: *:[^=\n]+)? *=(?!=)/gm

/** @throws {Error} for a module that could not stand behind another in one file */
export function parseModule(path: string, text: string): PythonModule {
  const name = path.replace(/\.py$/, '').replaceAll('/', '.')
  const [whole, summary] = docstring.exec(text) ?? []
  if (whole === undefined || summary === undefined) throw new Error(`${path} does not begin with a docstring`)
  let rest = text.slice(whole.length)
  let head = ''
  let comments = ''
  for (;;) {
    const [statement] = headStatement.exec(rest) ?? []
    if (statement === undefined) break
    rest = rest.slice(statement.length)
    if (/^(#|\n)/.test(statement)) comments += statement
    else {
      head += statement
      comments = ''
    }
  }
  const imports = parseImports(head)
  const below = comments.trimStart() + rest
  const inner: string[] = []
  const body = replaceCode(below, innerImport, (statement) => {
    inner.push(statement.replace(/^[ \t]+/, ''))
    return ''
  })
  const needs = [
    ...imports.flatMap((each) => needsOf(each, !each.typing)),
    ...parseImports(inner.join('')).flatMap((each) => needsOf(each, false)),
  ]
  return {
    name,
    summary,
    imports: imports.filter((each) => !ofPackage.test(each.module)),
    needs,
    defines: Array.from(
      withoutStrings(below).matchAll(definition),
      (match) => match[1] ?? match[2] ?? '',
    ).filter((each) => each !== '__all__'),
    body: `${body.trim()}\n`,
  }
}

function needsOf({ module, names }: PythonImport, whenLoaded: boolean): Need[] {
  if (!ofPackage.test(module)) return []
  if (!names) throw new Error(`import names from ${module}, not the module`)
  return names.map((each) => {
    const [name = '', as] = each.split(' as ')
    return { from: module.slice('a2a_totp.'.length), name, as, whenLoaded }
  })
}

const stringOrComment = /("""|''')(?:\\[^]|(?!\1)[^\\])*\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/g

/** The same text with strings and comments blanked out, so that every place is where it was. */
const withoutStrings = (text: string): string =>
  text.replace(stringOrComment, (found) => found.replace(/[^\n]/g, ' '))

/** Replaces what matches, unless it is in a string or a comment. */
function replaceCode(text: string, pattern: RegExp, replacement: (found: string) => string): string {
  const code = withoutStrings(text)
  return text.replace(pattern, (found, ...rest) => {
    const at = rest.find((each) => typeof each === 'number')
    return code.slice(at, (at ?? 0) + found.length).trim() === '' ? found : replacement(found)
  })
}
