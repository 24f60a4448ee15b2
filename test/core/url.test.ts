import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isListenOnly, isLoopback, parseHttpUrl, portOf } from '../../src/core/url.js'

describe('loopback', () => {
  it.each([
    ...[
      'http://localhost',
      'http://LOCALHOST:1/x',
      'https://127.0.0.1',
      'http://127.255.255.254/',
      'http://[::1]:1',
    ],
    // Spellings that the URL parser normalises.
    ...[
      'http://127.1',
      'http://0x7f.1',
      'http://2130706433',
      'http://[0:0:0:0:0:0:0:1]',
      'http://１２７.0.0.1',
    ],
  ])('is %s', (text) => {
    expect(isLoopback(new URL(text))).toBe(true)
  })

  it.each([
    ...[
      'http://agent.localhost',
      'http://localhost.',
      'http://127.0.0.1.example',
      'http://localhost.example',
    ],
    ...[
      'http://[::ffff:127.0.0.1]',
      'http://0.0.0.0',
      'http://0',
      'http://[::]',
      'http://[::2]',
      'http://128.0.0.1',
    ],
    ...['http://127.example', 'http://1127.0.0.1.example', 'http://10.0.0.1', 'https://agent.example'],
  ])('is not %s', (text) => {
    expect(isLoopback(new URL(text))).toBe(false)
  })
})

it('loopback is decided here alone', () => {
  const src = fileURLToPath(new URL('../../src', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const rule = /127\\\.|127\(|\\\.localhost/
  expect(files.filter((name) => rule.test(readFileSync(join(src, name), 'utf8')))).toEqual(['core/url.ts'])
})

it.each([
  ['http://0.0.0.0:1', true],
  ['http://0/', true],
  ['http://[::]', true],
  ['http://[::ffff:0.0.0.0]', true],
  ['http://*:1', true],
  ['https://+/', true],
  ['http://127.0.0.1', false],
  ['http://[::1]', false],
  ['http://agent.example', false],
])('%s is an address to listen on: %s', (text, expected) => {
  expect(isListenOnly(new URL(text))).toBe(expected)
})

describe('an http URL', () => {
  it.each(['http://a', 'HTTPS://a.example:1/x?y#z', 'http://me:pw@a'])('is %s', (text) => {
    expect(parseHttpUrl(text)?.href).toBe(new URL(text).href)
  })

  it.each(['', 'a', 'a.example:1', '/x', 'ftp://a', 'ws://a', 'javascript:1', 'http://', 'https://a:99999'])(
    'is not %j',
    (text) => {
      expect(parseHttpUrl(text)).toBeUndefined()
    },
  )
})

it.each([
  ['http://a', 80],
  ['https://a', 443],
  ['http://a:443', 443],
  ['https://a:80', 80],
  ['https://a:443', 443],
])('the port of %s is %i', (text, port) => {
  expect(portOf(new URL(text))).toBe(port)
})
