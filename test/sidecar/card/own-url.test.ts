import { describe, expect, it } from 'vitest'
import { ownUrl } from '../../../src/sidecar/card/own-url.js'

const own = (authority: string, listener = 'http://127.0.0.1:8080') =>
  ownUrl(authority, new URL(listener))?.href

describe('what a gate without a public URL calls itself', () => {
  it.each(['127.0.0.1:8080', 'localhost:8080', '[::1]:8080', 'localhost:9000'])(
    'is the name of this machine that a request asked for: %s',
    (authority) => {
      expect(own(authority)).toBe(`http://${authority}/`)
      expect(own(authority, 'https://0.0.0.0:8443')).toBe(`https://${authority}/`)
    },
  )

  it('is the address that it listens on', () => {
    expect(own('10.0.0.7:8080', 'http://10.0.0.7:8080')).toBe('http://10.0.0.7:8080/')
    expect(own('10.0.0.7:8081', 'http://10.0.0.7:8080')).toBeUndefined()
  })

  it.each([
    ...['evil.example', 'evil.example:8080', '0.0.0.0:8080', '', 'localhost:8080/x', 'me@localhost:8080'],
    ...['localhost.evil.example:8080', 'localhost:8080#', 'localhost:99999', 'localhost:8080, evil', '[::1'],
  ])('is no other name that a request asked for: %j', (authority) => {
    expect(own(authority)).toBeUndefined()
    expect(own(authority, 'http://0.0.0.0:8080')).toBeUndefined()
  })
})
