import { escapeHtml, Markup } from '../../html/markup.js'

type Attributes = Readonly<Record<string, string | number>>

/** An element of SVG on one line: a space between its tags would be a part of a text. Text and attributes are escaped. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly (Markup | string)[]
): Markup {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeHtml(String(value))}"`)
  const inside = children.map((child) => (child instanceof Markup ? child.text : escapeHtml(child))).join('')
  const start = `<${name}${pairs.join('')}`
  return new Markup(inside === '' ? `${start}/>` : `${start}>${inside}</${name}>`)
}

/** Several elements, each on a line. */
export const onLines = (elements: readonly Markup[]): Markup =>
  new Markup(`\n${elements.map(({ text }) => `  ${text}\n`).join('')}`)
