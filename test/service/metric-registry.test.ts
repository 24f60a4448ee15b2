import { describe, expect, it } from 'vitest'
import { MetricRegistry } from '../../src/service/metric-registry.js'
import { parseOpenmetrics, type MetricSample } from '../support/openmetrics.js'

const all = ['counter', 'gauge', 'histogram', 'info']

const read = (registry: MetricRegistry): MetricSample[] => parseOpenmetrics(registry.render(), all)

describe('the metrics of a process', () => {
  it('are OpenMetrics, also before anything was counted', () => {
    const registry = new MetricRegistry('a_')
    registry.counter({ name: 'calls', help: 'Calls.' }, { role: ['gate'] })
    registry.counter({ name: 'starts', help: 'Starts.' }, {})
    registry.histogram({ name: 'wait_seconds', unit: 'seconds', help: 'Waits.' }, {}, [0.5, 1])
    registry.info({ name: 'build', help: 'The version.' }, { version: '1' })
    registry.gaugeOf({ name: 'open', help: 'Open.' }, () => undefined)
    expect(read(registry)).toEqual([
      { name: 'a_starts_total', labels: {}, value: 0 },
      { name: 'a_wait_seconds_bucket', labels: { le: '0.5' }, value: 0 },
      { name: 'a_wait_seconds_bucket', labels: { le: '1.0' }, value: 0 },
      { name: 'a_wait_seconds_bucket', labels: { le: '+Inf' }, value: 0 },
      { name: 'a_wait_seconds_count', labels: {}, value: 0 },
      { name: 'a_wait_seconds_sum', labels: {}, value: 0 },
      { name: 'a_build_info', labels: { version: '1' }, value: 1 },
    ])
    for (const name of ['calls', 'starts', 'open', 'wait_seconds', 'build'])
      expect(registry.render()).toMatch(new RegExp(`^# TYPE a_${name} (counter|gauge|histogram|info)$`, 'm'))
  })

  it('count by labels', () => {
    const registry = new MetricRegistry('')
    const calls = registry.counter({ name: 'calls', help: 'Calls.' }, { role: ['gate', 'proxy'] })
    calls.add({ role: 'gate' })
    calls.add({ role: 'gate' }, 3)
    calls.add({ role: 'proxy' })
    expect(read(registry)).toEqual([
      { name: 'calls_total', labels: { role: 'gate' }, value: 4 },
      { name: 'calls_total', labels: { role: 'proxy' }, value: 1 },
    ])
  })

  it('put each value into every bucket that is not below it', () => {
    const registry = new MetricRegistry('')
    const waits = registry.histogram({ name: 'waits', help: 'Waits.' }, {}, [0.1, 1])
    for (const value of [0.1, 0.1000001, 1, 7]) waits.observe({}, value)
    expect(read(registry).map(({ value }) => value)).toEqual([1, 3, 4, 4, 8.2000001])
  })

  it('make no series for a value that is not expected, whatever and however many are sent', () => {
    const registry = new MetricRegistry('')
    const known = new Set(['alice'])
    const calls = registry.counter({ name: 'calls', help: 'Calls.' }, { peer: (name) => known.has(name) })
    calls.add({ peer: 'alice' })
    for (let n = 0; n < 1000; n++) calls.add({ peer: `"}\n# EOF\nstranger ${n}` })
    expect(read(registry)).toEqual([
      { name: 'calls_total', labels: { peer: 'alice' }, value: 1 },
      { name: 'calls_total', labels: { peer: 'other' }, value: 1000 },
    ])
  })

  it('are bounded where every value is expected', () => {
    const registry = new MetricRegistry('')
    const calls = registry.counter({ name: 'calls', help: 'Calls.' }, { peer: () => true })
    for (let n = 0; n < 20_000; n++) calls.add({ peer: String(n) })
    const samples = read(registry)
    expect(samples).toHaveLength(10_001)
    expect(samples.at(-1)).toEqual({ name: 'calls_total', labels: { peer: 'other' }, value: 10_000 })
  })

  it('write labels so that they are read back as they are', () => {
    const registry = new MetricRegistry('')
    const odd = 'a"b\\c\nd{e="f",}'
    registry.info({ name: 'odd', help: 'Two\nlines.' }, { odd })
    expect(read(registry)).toEqual([{ name: 'odd_info', labels: { odd }, value: 1 }])
  })

  it('show the highest of several values with the same labels, which no reader would take', () => {
    const registry = new MetricRegistry('')
    const labels = { agent: 'billing' }
    registry.gaugesOf({ name: 'open', help: 'Open.' }, () => [2, 3, 1].map((value) => ({ labels, value })))
    expect(read(registry)).toEqual([{ name: 'open', labels, value: 3 }])
  })

  it('forget a series that is not wanted any more', () => {
    const registry = new MetricRegistry('')
    const last = registry.gauge({ name: 'last', help: 'Last.' }, { peer: () => true })
    last.set({ peer: 'alice' }, 5)
    last.set({ peer: 'bob' }, 6)
    last.keep(({ peer }) => peer === 'bob')
    expect(read(registry)).toEqual([{ name: 'last', labels: { peer: 'bob' }, value: 6 }])
  })
})
