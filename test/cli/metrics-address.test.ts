import { expect, it } from 'vitest'
import { parseMetricsAddress } from '../../src/cli/commands/probe/metrics-address.js'
import { isLoopback } from '../../src/service/address.js'

it.each([
  ['9464', { host: '127.0.0.1', port: 9464 }, true],
  ['0', { host: '127.0.0.1', port: 0 }, true],
  ['localhost:0', { host: '127.0.0.1', port: 0 }, true],
  ['127.0.0.2:65535', { host: '127.0.0.2', port: 65_535 }, true],
  ['[::1]:9464', { host: '::1', port: 9464 }, true],
  ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }, false],
  ['[::]:9464', { host: '::', port: 9464 }, false],
  ['[0:0:0:0:0:0:0:1]:80', { host: '0:0:0:0:0:0:0:1', port: 80 }, true],
  ['[::ffff:127.0.0.1]:80', { host: '::ffff:127.0.0.1', port: 80 }, true],
  ['[::ffff:10.0.0.1]:80', { host: '::ffff:10.0.0.1', port: 80 }, false],
  ['10.0.0.1:80', { host: '10.0.0.1', port: 80 }, false],
])('--metrics %s', (text, address, local) => {
  expect(parseMetricsAddress(text)).toEqual(address)
  expect(isLoopback(address)).toBe(local)
})

it.each([
  '',
  ':9464',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '127.0.0.1:94x4',
  '::1:9464',
  '[::1]',
  '[127.0.0.1]:1',
  'metrics.example:9464',
  '127.1:9464',
  'http://127.0.0.1:9464',
  ' 9464',
  '-1',
])('--metrics %j is refused', (text) => {
  expect(() => parseMetricsAddress(text)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
})
