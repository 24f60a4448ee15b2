import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sourceKey } from '../../src/state/source.js'
import { StrangerLimit } from '../../src/state/stranger-limit.js'

describe('sourceKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b::c000:201', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff::', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0000:1:2:3:4', '2001:db8:0:0::/64'],
    ['[2001:db8::2]:443', '2001:db8:0:0::/64'],
    ['[2001:db8::2]', '2001:db8:0:0::/64'],
    ['2001:db8::1:4711', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::2%wlan0:5', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['', ''],
    ['tenant-7', 'tenant-7'],
    ['unix:', 'unix:'],
    ['1::2::3', '1::2::3'],
    ['999.0.2.1:80', '999.0.2.1:80'],
    ['from [2001:db8::1]:443', 'from [2001:db8::1]:443'],
    ['[2001:db8::1]:443, [2001:db8::2]', '[2001:db8::1]:443, [2001:db8::2]'],
  ])('of %j is %j', (source, key) => {
    expect(sourceKey(source)).toBe(key)
    expect(sourceKey(key)).toBe(key)
  })

  it('is the same for all addresses of a /64, and differs for any two /64s and any two IPv4 addresses', () => {
    const low = fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 })
    const text = (groups: number[]): string => groups.map((group) => group.toString(16)).join(':')
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), low, (six, four, suffix) => {
        expect(sourceKey(`::ffff:${four}`)).toBe(four)
        const key = sourceKey(six)
        // Of these two, some addresses are IPv4 addresses.
        fc.pre(key.endsWith('::/64') && !['0:0:0:0::/64', '64:ff9b:0:0::/64'].includes(key))
        expect(sourceKey(`${key.slice(0, -5)}:${text(suffix)}`)).toBe(key)
      }),
    )
  })

  it('is short, whatever a caller writes', () => {
    const keys = ['x', 'y', ':'].map((text) => sourceKey(text.repeat(16_000)))
    expect(new Set(keys).size).toBe(3)
    for (const key of keys) expect(key.length).toBeLessThan(80)
    expect(sourceKey('x'.repeat(64))).toBe('x'.repeat(64))
    expect(sourceKey('x'.repeat(65))).toMatch(/^sha256:/)
  })
})

describe('StrangerLimit by source', () => {
  const at = new Date(1_800_000_000_000)

  it('limits all addresses of a /64 together, and their neighbours apart', () => {
    const limit = new StrangerLimit({ perMinute: 60, sources: 100 })
    const waits = Array.from({ length: 10_000 }, (_, n) => limit.count(`2001:db8::${n.toString(16)}`, at))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(60)
    expect(limit.count('2001:db8:0:1::1', at)).toBe(0)
  })

  it('takes an address for the same in both of its spellings', () => {
    const limit = new StrangerLimit({ perMinute: 1 })
    expect(limit.count('192.0.2.1', at)).toBe(0)
    expect(limit.count('::ffff:192.0.2.1', at)).toBe(60)
  })

  it('tells how much room a source has, and counts nothing by that', () => {
    const limit = new StrangerLimit({ perMinute: 3 })
    for (let n = 0; n < 5; n++) expect(limit.room('192.0.2.1', at)).toBe(3)
    limit.count('192.0.2.1', at)
    limit.count('::ffff:192.0.2.1', new Date(at.getTime() + 1000))
    expect(limit.room('192.0.2.1', at)).toBe(1)
    limit.count('192.0.2.1', at)
    expect(limit.room('192.0.2.1', new Date(at.getTime() + 59_999))).toBe(0)
    expect(limit.room('192.0.2.1', new Date(at.getTime() + 60_000))).toBe(2)
    expect(limit.room('192.0.2.2', at)).toBe(3)
  })
})
