import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readAddress } from '../../../src/core/card/interfaces.js'
import { dialledAt } from '../../../src/core/card/targets.js'
import { isLoopback, portOf } from '../../../src/core/url.js'
import { noTargets, targets } from './targets.js'

describe('the address of a gRPC interface', () => {
  it.each(targets)('$text is understood', ({ text, host, port, tls, loopback, remark }) => {
    const address = readAddress(text, 'grpc')
    if (!address.understood) expect.fail(address.why)
    const { url, remarks } = address
    expect({ host: url.hostname, port: portOf(url), tls: url.protocol === 'https:' }).toEqual({
      host,
      port,
      tls,
    })
    expect(isLoopback(url)).toBe(loopback)
    expect(url.href).toBe(`${url.origin}/`)
    expect(remarks).toEqual(remark === undefined ? [] : [remark])
    expect(dialledAt(url)).toBe(`dns:${host}:${port}`)
  })

  it.each(noTargets)('$text is not', ({ text, why }) => {
    expect(readAddress(text, 'grpc')).toEqual({ understood: false, why })
  })

  it('means the same when it is read as it is dialled', () => {
    for (const { text } of targets) {
      const address = readAddress(text, 'grpc')
      const again = address.understood && readAddress(dialledAt(address.url), 'grpc')
      expect(again && again.understood && portOf(again.url)).toBe(address.understood && portOf(address.url))
      expect(again && again.understood && again.url.hostname).toBe(address.understood && address.url.hostname)
    }
  })

  it('is plaintext beyond loopback only where it says so', () => {
    const plain = targets.filter(({ tls, loopback }) => !tls && !loopback)
    expect(plain.length).toBeGreaterThan(0)
    for (const { text } of plain) expect(text).toMatch(/^(grpc|http):\/\//)
  })
})

describe('docs/client/grpc.md', () => {
  const page = readFileSync(new URL('../../../docs/client/grpc.md', import.meta.url), 'utf8')
  const rows = Array.from(page.matchAll(/^\| `(.+?)` +\| (.+?) +\|$/gm), ([, address, meaning]) => [
    address,
    meaning,
  ])

  it('shows what addresses mean', () => {
    const meaning = ({ host, port, tls, loopback }: (typeof targets)[number]): string => {
      const over = tls ? 'TLS' : loopback ? 'plaintext' : 'plaintext, which is refused'
      return `\`${host}:${port}\`, ${over}`
    }
    expect(rows).toEqual([
      ...targets.filter(({ shown }) => shown).map((target) => [target.text, meaning(target)]),
      ...noTargets.filter(({ shown }) => shown).map(({ text, why }) => [text, `not understood: ${why}`]),
    ])
  })
})
