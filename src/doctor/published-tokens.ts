import { hashToken, type Token, type TokenHash } from '../core/token.js'

/** Tokens of standards and manuals. Public knowledge, so not secret. */
const published = new Set(
  [
    // RFC 6750, RFC 6749, RFC 7009 and RFC 7662.
    'mF_9.B5f-4.1JqM',
    '2YotnFZFEjr1zCsicMWpAA',
    'tGzv3JOkF0XG5Qx2TlKWIA',
    '45ghiukldjahdnhzdauz',
    'SlAV32hkKG',
    // RFC 7519 §3.1, and the default of jwt.io.
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c',
    // What examples write where a token belongs; for tokens that are known by their hash alone.
    ...[
      'your-token',
      'your_token',
      'changeme',
      'change-me',
      'test',
      'test-token',
      'secret',
      'token',
      'password',
    ],
    ...[
      'my-token',
      'example',
      'a2at_example',
      'abc',
      'abc123',
      'foo',
      'bar',
      '123456',
      '12345678',
      '1234567890',
    ],
  ].map(hashToken),
)

/** Words that placeholders consist of. */
const words = new Set(
  'a a2at access agent an api apikey auth bar baz bearer change changeme default demo dev dummy example fake fixme foo goes here insert key local me my password passwd peer placeholder replace sample secret some test testing the todo token value with your yours'.split(
    ' ',
  ),
)

/** Whether a token is published: one of a standard, or made of words that placeholders consist of. */
export function isPublishedToken({ value, hash }: Token | TokenHash): boolean {
  if (published.has(hash)) return true
  const parts = (value ?? '').replace(/([a-z])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/)
  const said = parts.filter((part) => part !== '').map((part) => part.toLowerCase().replace(/\d{1,4}$/, ''))
  return said.length > 0 && said.every((word) => words.has(word) || /^x*$/.test(word))
}
