import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { blocksOf, readPages, type Block } from './support/pages.js'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * What a block can import from `./agent.js`, which stands for a file of the reader's own. The blocks of docs/server also
 * run, with support/docs-agent.ts in its place.
 */
const readersAgent = `
  import type { AgentCard } from '@a2a-js/sdk'
  import type { A2ARequestHandler, AgentExecutor } from '@a2a-js/sdk/server'
  import type { Express } from 'express'
  export declare const app: Express
  export declare const card: AgentCard
  export declare const executor: AgentExecutor
  export declare const requestHandler: A2ARequestHandler
  export declare function introspect(token: string): Promise<{ active: boolean; client_id: string; scope: string }>
`

/** As for a reader who runs `tsc --strict --module nodenext --types node`. */
const options: ts.CompilerOptions = {
  strict: true,
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  // A block that neither imports nor exports is a module too, with names of its own.
  moduleDetection: ts.ModuleDetectionKind.Force,
  // The last test checks this package's own declarations. No test asks about those of other packages.
  skipLibCheck: false,
  noEmit: true,
}

/** The file that a block becomes, next to its page. */
const fileOf = ({ page, line }: Block): string => join(root, `${page}.${line}.ts`)

/**
 * Compiles all blocks as one program. It sees this package as users do: by the exports of package.json, which lead to
 * the declarations in dist/. Each block stands on its lines of the page, so errors have the page's line numbers.
 */
function compile(blocks: readonly Block[]): ts.Program {
  const virtual = new Map<string, string>()
  for (const block of blocks) {
    virtual.set(fileOf(block), '\n'.repeat(block.line - 1) + block.code)
    virtual.set(join(dirname(fileOf(block)), 'agent.d.ts'), readersAgent)
  }
  const disk = ts.createCompilerHost(options)
  const host: ts.CompilerHost = {
    ...disk,
    getCurrentDirectory: () => root,
    fileExists: (file) => virtual.has(file) || disk.fileExists(file),
    getSourceFile: (file, target, ...others) => {
      const text = virtual.get(file)
      return text === undefined
        ? disk.getSourceFile(file, target, ...others)
        : ts.createSourceFile(file, text, target)
    },
  }
  return ts.createProgram({ rootNames: [...virtual.keys()], options, host })
}

/** Each as `docs/core.md:12:7 TS2322 message`, then the line itself. */
function problemsIn(program: ts.Program, file: string): string[] {
  const source = program.getSourceFile(file)
  if (!source) return [`${relative(root, file)} is not in the program`]
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  return found.map(({ start = 0, code, messageText }) => {
    const { line, character } = source.getLineAndCharacterOfPosition(start)
    const where = relative(root, file).replace(/(\.md)\.\d+\.ts$/, '$1')
    const message = ts.flattenDiagnosticMessageText(messageText, '\n')
    return `${where}:${line + 1}:${character + 1} TS${code} ${message}\n    ${source.text.split('\n')[line] ?? ''}`
  })
}

const wrong: Block[] = blocksOf({
  path: 'docs/wrong.md',
  text: [
    'A wrong type, a missing type, a missing export and a missing import.',
    '',
    '```ts',
    "import { Seed } from 'a2a-totp'",
    'const seed: string = Seed.fromBytes(new Uint8Array(20))',
    'const first = (list) => list[0]',
    '```',
    '',
    '```console',
    'const it = is("no TypeScript")',
    '```',
    '',
    '- In a list:',
    '',
    '  ```ts',
    "  import { nothing } from 'a2a-totp/server'",
    "  import { card } from './agent.js'",
    '  app.use(card)',
    '  ```',
  ].join('\n'),
})

const isTypeScript = ({ language }: Block): boolean => /^(ts|tsx|mts|cts|typescript)$/.test(language)
const blocks = readPages().flatMap(blocksOf).filter(isTypeScript)

if (!existsSync(join(root, 'dist/index.d.ts'))) throw new Error('dist/ is missing; run `npm run build` first')
const program = compile([...blocks, ...wrong.filter(isTypeScript)])

describe('the TypeScript of the pages, checked against the declarations in dist/', () => {
  it.each(blocks.map((block) => [`${block.page}:${block.line}`, block] as const))(
    '%s has its imports, and compiles under --strict',
    (_, block) => {
      expect(problemsIn(program, fileOf(block)).join('\n')).toBe('')
    },
  )

  it('is found', () => {
    expect(blocks.length).toBeGreaterThan(20)
    expect(new Set(blocks.map(({ page }) => page))).toContain('README.md')
  })

  it('is reported by its line on the page where it is wrong', () => {
    const reported = wrong.filter(isTypeScript).flatMap((block) => problemsIn(program, fileOf(block)))
    expect(reported.map((problem) => /^\S+ \S+/.exec(problem)?.[0])).toEqual([
      'docs/wrong.md:5:7 TS2322',
      'docs/wrong.md:6:16 TS7006',
      'docs/wrong.md:16:12 TS2305',
      'docs/wrong.md:18:3 TS2304',
    ])
  })

  it('is checked against declarations that compile themselves', () => {
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(root, 'dist/')))
    expect(own.length).toBeGreaterThan(20)
    expect(own.flatMap(({ fileName }) => problemsIn(program, fileName)).join('\n')).toBe('')
    expect(program.getOptionsDiagnostics().map(({ messageText }) => messageText)).toEqual([])
  })
})
