import { created, describeForgeries, expires, parameters } from '../../support/forgeries.js'

const all = '"@method" "@path" "@query" "content-digest" "authorization" "x-totp"'

describeForgeries('components', {
  'a blank after the bracket': ['proof-malformed', { list: `( ${all})` }],
  'a blank before the bracket': ['proof-malformed', { list: `(${all} )` }],
  'a parameter that says that it is there': [
    'proof-malformed',
    { list: `(${all.replace('"@path"', '"@path";req=?1')})` },
  ],
  'a parameter': ['proof-uncovered', { list: `(${all.replace('"@path"', '"@path";req')})` }],
  'a parameter that says that it is not there': [
    'proof-uncovered',
    { list: `(${all.replace('"@path"', '"@path";sf=?0')})` },
  ],
  'a parameter twice': ['proof-malformed', { list: `(${all.replace('"@path"', '"@path";req;req')})` }],
  'a token': ['proof-uncovered', { list: `(${all.replace('"x-totp"', 'x-totp')})` }],
  'a number': ['proof-uncovered', { list: `(${all.replace('"x-totp"', '1')})` }],
  'a number not as it is written': ['proof-malformed', { list: `(${all.replace('"x-totp"', '01')})` }],
  'one twice in place of another': ['proof-uncovered', { list: `(${all.replace('"@path"', '"@query"')})` }],
  'a name with a blank': ['proof-uncovered', { list: `(${all.replace('"x-totp"', '"x-totp "')})` }],
  'the signature itself': ['proof-uncovered', { list: `(${all} "signature-input")` }],
  '@query-param': ['proof-uncovered', { list: `(${all} "@query-param";name="a")` }],
  '@status': ['proof-uncovered', { list: `(${all} "@status")` }],
  'a name that no header function takes': ['proof-uncovered', { list: `(${all} "a b:\\"")` }],
  'in reverse order': ['valid', { names: all.replaceAll('"', '').split(' ').reverse() }],
})

describeForgeries('covered values', {
  'an empty content type, covered': ['valid', { headers: [['Content-Type', '']] }],
  'an empty content type, not covered': [
    'proof-uncovered',
    { headers: [['Content-Type', '']], list: `(${all})` },
  ],
  'an empty a2a-version line beside another': [
    'valid',
    {
      headers: [
        ['A2A-Version', ''],
        ['a2a-version', '1.0'],
      ],
    },
  ],
  'whitespace around it': ['valid', { headers: [['A2A-Version', ' \t1.0\t ']] }],
  'a tab inside': ['valid', { headers: [['A2A-Extensions', 'a,\tb']] }],
  'a2a-extensions twice': [
    'valid',
    {
      headers: [
        ['A2A-Extensions', 'urn:a'],
        ['a2a-extensions', 'urn:b'],
      ],
    },
  ],
  'two codes, both covered': ['valid', { headers: [['x-totp', '111111']] }],
  folding: ['proof-malformed', { headers: [['A2A-Extensions', 'a,\r\n b']] }],
  'a line break at its end': ['proof-malformed', { headers: [['A2A-Version', '1.0\n']] }],
  'a zero byte': ['proof-malformed', { headers: [['Content-Type', 'a\0b']] }],
  'a delete character': ['proof-malformed', { headers: [['Content-Type', 'a\x7f']] }],
  'a character beyond ASCII': ['proof-malformed', { headers: [['Content-Type', 'é']] }],
  'a character beyond ASCII in a field that is not covered': [
    'proof-uncovered',
    { headers: [['Content-Type', 'é']], list: `(${all})` },
  ],
  'a character beyond ASCII in the path': ['proof-malformed', { target: '/é' }],
  'a line break in the query': ['proof-malformed', { target: '/a?b\n"x": y' }],
  'a character beyond ASCII in the method': ['proof-malformed', { method: 'PÖST' }],
  'no code': ['proof-uncovered', { credentials: [['Authorization', 'Bearer a']] }],
  'no token': ['proof-uncovered', { credentials: [['X-TOTP', '123456']] }],
  'an empty token and an empty code': [
    'valid',
    {
      credentials: [
        ['X-TOTP', ''],
        ['authorization', ''],
      ],
    },
  ],
  'X-TOTP as the name of the field in capital letters': [
    'proof-uncovered',
    { list: `(${all.replace('x-totp', 'X-TOTP')})` },
  ],
})

describeForgeries('Content-Digest', {
  'a second sha-256': ['proof-digest', { digest: (value) => [`${value}, ${value}`] }],
  'a second sha-256 in a line of its own': ['proof-digest', { digest: (value) => [value, value] }],
  'sha-256 with a parameter': ['proof-digest', { digest: (value) => [`${value};a`] }],
  'without padding': ['proof-digest', { digest: (value) => [value.replace('=:', ':')] }],
  'with spare bits': [
    'proof-digest',
    {
      // The next character of the alphabet for each of the sixteen that can be there.
      digest: (value) => [value.replace(/.(?==:$)/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))],
    },
  ],
  'in a list': ['proof-digest', { digest: (value) => [value.replace(/=(:.*)$/, '=($1)')] }],
  'another algorithm before and after it': [
    'valid',
    { digest: (value) => [`sha-512=:YQ==:, ${value}`, 'md5=1'] },
  ],
  'another algorithm twice': ['valid', { digest: (value) => [`sha-512=:YQ==:, ${value}, sha-512=:Yg==:`] }],
  'another algorithm that is no member': [
    'proof-digest',
    { digest: (value) => [`${value}, SHA-512=:YQ==:`] },
  ],
  'a comma at its end': ['proof-digest', { digest: (value) => [`${value},`] }],
  'an empty line': ['proof-digest', { digest: () => [''] }],
  'no line': ['proof-uncovered', { digest: () => [] }],
  'an empty Content-Encoding': ['proof-digest', { headers: [['Content-Encoding', '']] }],
  'the Content-Encoding identity': ['proof-digest', { headers: [['content-encoding', 'identity']] }],
})

describeForgeries('gRPC', {
  'without anything else': ['valid', { binding: 'grpc', target: '/a.B/C' }],
  'with its content type, which is not covered': [
    'valid',
    { binding: 'grpc', target: '/a.B/C', headers: [['content-type', 'application/grpc+proto']] },
  ],
  'with its content type covered': [
    'proof-uncovered',
    {
      binding: 'grpc',
      target: '/a.B/C',
      headers: [['content-type', 'application/grpc']],
      list: `(${all} "content-type")`,
    },
  ],
  'with grpc-encoding': [
    'valid',
    { binding: 'grpc', target: '/a.B/C', headers: [['grpc-encoding', 'gzip']] },
  ],
  'with a2a-version': ['valid', { binding: 'grpc', target: '/a.B/C', headers: [['a2a-version', '1.0']] }],
  'with Content-Encoding': [
    'proof-digest',
    { binding: 'grpc', target: '/a.B/C', headers: [['content-encoding', 'gzip']] },
  ],
  'of a method other than POST': ['valid', { binding: 'grpc', method: 'GET', target: '/a.B/C' }],
})

describeForgeries('two faults, of which the first is told', {
  'malformed and uncovered': [
    'proof-malformed',
    { list: '()', parameters: parameters({ nonce: 'nonce=""' }) },
  ],
  'uncovered and without a digest': ['proof-uncovered', { list: `(${all} "host")`, digest: () => ['x=1'] }],
  'without a digest and of another key': [
    'proof-digest',
    { digest: () => ['x=1'], parameters: parameters({ keyid: 'keyid="x"' }) },
  ],
  'of another key and stale': [
    'proof-key',
    { parameters: parameters({ keyid: 'keyid="x"', created: created(-90), expires: expires(-40) }) },
  ],
  'of a wrong MAC and stale': [
    'proof-mac',
    {
      parameters: parameters({ created: created(-90), expires: expires(-40) }),
      signature: () => [`a2a-totp=:${Buffer.alloc(32).toString('base64')}:`],
    },
  ],
  'malformed, but not ours': ['unsigned', { parameters: parameters({ nonce: 'nonce=""', tag: 'tag="x"' }) }],
  'stale, and of another content': [
    'proof-stale',
    {
      parameters: parameters({ created: created(-90), expires: expires(-40) }),
      digest: () => [`sha-256=:${Buffer.alloc(32).toString('base64')}:`],
    },
  ],
})
