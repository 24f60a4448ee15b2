import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Page {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly text: string
}

export interface Block {
  readonly page: string
  /** The line of the page on which the code begins, counted from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
}

/** Every page that a user reads: the Markdown files at the root, and those in docs/ and bench/. */
export function readPages(): Page[] {
  const within = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return [...readdirSync(root), ...within('docs'), ...within('bench')]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The fenced code blocks of a page, in order. */
export function blocksOf({ path, text }: Page): Block[] {
  const fenced = /^( *)(```+)([^\s`]*)[^\n`]*\n(.*?)^\1\2 *$/gms
  return Array.from(text.matchAll(fenced), ({ 3: language = '', 4: code = '', index }) => ({
    page: path,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
  }))
}

/** A page without its code: neither blocks nor code within a line. */
function proseOf({ text }: Page): string {
  return text.replace(/^( *)(```+).*?^\1\2 *$/gms, '').replace(/`[^`\n]*`/g, '')
}

/** Where the relative links of a page lead: paths, anchors, or both. */
export function linksOf(page: Page): string[] {
  const targets = Array.from(proseOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}
