import { blocksOf, readPages } from '../pages.js'

const page = readPages().find(({ path }) => path === 'docs/delivery.md') ?? { path: '', text: '' }

/** The recipes of docs/delivery.md as they are printed, by the file name in their first line. */
export const recipes: ReadonlyMap<string, string> = new Map(
  blocksOf(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => {
      const name = /^# ([a-z]+)\.sh: /.exec(code)?.[1]
      return name === undefined ? [] : [[name, code] as const]
    }),
)

/** The first block of a language in the page. */
export const blockIn = (language: string): string =>
  blocksOf(page).find((block) => block.language === language)?.code ?? ''

export interface Row {
  /** The name of the recipe; what the link says where the recipe is no program. */
  readonly name: string
  readonly anchor: string
  /** The column "run by a test". */
  readonly run: string
  /** The column "read back". */
  readonly readBack: string
}

/** The table of the recipes. */
export const rows: readonly Row[] = Array.from(
  page.text.matchAll(
    /^\| \[(?:`([a-z]+)\.sh`|([\w ]+))\]\(#([\w-]+)\) +\| ((?:yes|not run)[^|]*?) +\|[^|]+\| ([^|]+?) +\|$/gm,
  ),
  ([, file, words = '', anchor = '', run = '', readBack = '']) => ({
    name: file ?? words,
    anchor,
    run,
    readBack,
  }),
)
