/** Text that is HTML already. Only {@link html} makes it. */
export class Markup {
  constructor(readonly text: string) {}
}

type Value = string | number | Markup | readonly Value[]

/**
 * HTML from a template. Every value is escaped, for text and for attributes in double quotes; lists are joined, and
 * markup is taken as it is.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part))
}

function render(value: Value): string {
  if (value instanceof Markup) return value.text
  return typeof value === 'string' || typeof value === 'number'
    ? escapeHtml(String(value))
    : value.map(render).join('')
}

const names: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes text for HTML, as text or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => names[character] ?? '')
}
