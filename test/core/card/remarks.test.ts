import { describe, expect, it } from 'vitest'
import { readInterfaces, type CardInterface } from '../../../src/core/card/interfaces.js'
import { Remarks, shown } from '../../../src/core/card/remarks.js'

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `remark ${n}`)

function listed(texts: readonly string[]): readonly string[] {
  const remarks = new Remarks()
  for (const text of texts) remarks.add(text)
  return remarks.list()
}

function interfaceAt(
  url: unknown,
  protocolBinding: unknown = 'JSONRPC',
  protocolVersion = '1.0',
): CardInterface {
  const [one] = readInterfaces({ supportedInterfaces: [{ url, protocolBinding, protocolVersion }] })
  if (one === undefined) throw new Error('the card has one interface')
  return one
}

describe('the remarks on a card', () => {
  it('are in their order, each once', () => {
    expect(listed([])).toEqual([])
    expect(listed(['b', 'a', 'b', 'c'])).toEqual(['b', 'a', 'c'])
    expect(listed(Array<string>(50).fill('the same'))).toEqual(['the same'])
  })

  it('are the first 20, with the number of the others', () => {
    expect(listed(numbered(20))).toEqual(numbered(20))
    expect(listed(numbered(21))).toEqual([...numbered(20), '1 more like these'])
    expect(listed(numbered(1000))).toEqual([...numbered(20), '980 more like these'])
  })

  it('are counted too where they are on interfaces', () => {
    const remarks = new Remarks()
    const add = (from: number, to: number): void => {
      for (let n = from; n < to; n++) remarks.about(interfaceAt(`https://agent.example/${n}`), 'is odd')
    }
    add(0, 20)
    const first = remarks.list()
    expect(first).toHaveLength(20)
    expect(first[19]).toBe('JSONRPC 1.0 https://agent.example/19 is odd')
    add(20, 23)
    remarks.add('and one of the card')
    expect(remarks.list()).toEqual([...first, '4 more like these'])
  })

  it.each([
    ['https://me:pw@agent.example/rpc?key=1#part', 'JSONRPC 1.0 https://agent.example/rpc'],
    ['https://agent.example/rpc#part?key=1', 'JSONRPC 1.0 https://agent.example/rpc'],
    ['https://agent.example/rpc?a\nb', 'JSONRPC 1.0 https://agent.example/rpc'],
    ['https://agent.example/@me', 'JSONRPC 1.0 https://agent.example/@me'],
    ['', 'JSONRPC 1.0'],
    [7, 'JSONRPC 1.0 (not a string)'],
  ])('name an interface without what may be a secret: %j', (url, name) => {
    const remarks = new Remarks()
    remarks.about(interfaceAt(url), 'is odd')
    expect(remarks.list()).toEqual([`${name} is odd`])
  })

  it('name an interface that says nothing of itself', () => {
    const remarks = new Remarks()
    remarks.about(interfaceAt(undefined, null), 'is odd')
    expect(remarks.list()).toEqual(['an interface 1.0 is odd'])
  })
})

describe('a text from a card', () => {
  it('is shown on one line, without what a terminal obeys', () => {
    expect(shown(' a\u001b[31m\nb ')).toBe('a [31m b')
  })

  it.each([
    ['x'.repeat(120), 'x'.repeat(120)],
    ['x'.repeat(121), `${'x'.repeat(119)}…`],
    ['😀'.repeat(120), '😀'.repeat(120)],
    ['😀'.repeat(121), `${'😀'.repeat(119)}…`],
  ])('is cut after 120 characters: %#', (text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  it('is not looked at beyond its first 400 code units', () => {
    expect(shown(`${'\n'.repeat(399)}ab`)).toBe('a')
  })
})
