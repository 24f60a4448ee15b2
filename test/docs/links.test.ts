import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  ...readdirSync(root),
  ...['bench', 'docs', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
].filter((name) => name.endsWith('.md'))
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')
const withoutCode = (text: string): string => text.replace(/^ *```.*?^ *```/gms, '')

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return Array.from(withoutCode(textOf(page)).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

it.each(pages)('%s has no dead link', (page) => {
  const links = Array.from(withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link)
  const dead = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : relative(root, join(root, dirname(page), path))
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
  expect(dead).toEqual([])
})

it.each(['docs/figures.md', 'bench/FIGURES.md', 'bench/PERFORMANCE.md', 'CONTRIBUTING.md'])(
  '%s names tests and scripts that exist',
  (page) => {
    const paths = Array.from(
      textOf(page).matchAll(/`((?:test|src|scripts|bench)\/[\w./-]+)`/g),
      ([, path = '']) => path,
    )
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(paths.length).toBeGreaterThan(0)
  },
)

it('every page of docs is linked from the README, itself or by the index of its folder', () => {
  const readme = textOf('README.md')
  const listed = (page: string): boolean =>
    readme.includes(`](${page})`) ||
    pages.some((index) => index.endsWith('/README.md') && linksTo(index, page) && index !== page)
  const linksTo = (from: string, to: string): boolean =>
    textOf(from).includes(`](${relative(dirname(from), to)})`)
  expect(pages.filter((page) => page.startsWith('docs/') && !listed(page))).toEqual([])
})
