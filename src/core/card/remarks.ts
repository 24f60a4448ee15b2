import { printable } from '../text.js'
import type { CardInterface } from './interfaces.js'

/** A card may name any number of interfaces, and a log has to end. */
const mostRemarks = 20

/** Collects remarks on a card, of which only the first are kept. */
export class Remarks {
  readonly #kept: string[] = []
  #count = 0

  add(text: string): void {
    this.#count += 1
    if (this.#kept.length < mostRemarks && !this.#kept.includes(text)) this.#kept.push(text)
  }

  /** The same of one interface. Its name is only made where there is room for it. */
  about(one: CardInterface, text: string): void {
    if (this.#kept.length < mostRemarks) this.add(`${nameOf(one)} ${text}`)
    else this.#count += 1
  }

  /** The remarks, each safe to print and of bounded length. */
  list(): readonly string[] {
    const more = this.#count - mostRemarks
    return more > 0 && this.#kept.length === mostRemarks
      ? [...this.#kept, `${more} more like these`]
      : this.#kept
  }
}

/** An interface as its card has it, safe to print: `JSONRPC 1.0 https://agent.example/rpc`. */
function nameOf({ written: { transport, version, address } }: CardInterface): string {
  const place = address.replace(/\/\/[^/?#]*@/, '//').replace(/[?#].*$/s, '')
  return [transport || 'an interface', version, place]
    .map(shown)
    .filter((part) => part !== '')
    .join(' ')
}

/** A text from a card, safe to print. */
export function shown(text: string): string {
  const characters = Array.from(printable(text.slice(0, 400)))
  return characters.length > 120 ? `${characters.slice(0, 119).join('')}…` : characters.join('')
}
