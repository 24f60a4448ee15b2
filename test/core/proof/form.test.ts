import { created, describeForgeries, expires, parameters } from '../../support/forgeries.js'
import { proofNow, rightParameters } from '../../support/proofs.js'

const foreign = 'sig1=("@authority");created=1;keyid="k";tag="web-bot-auth"'
const foreignMac = `sig1=:${Buffer.alloc(64, 1).toString('base64')}:`

describeForgeries('fields', {
  'an empty Signature-Input and an empty Signature': [
    'unsigned',
    { input: () => [''], signature: () => [''] },
  ],
  'an empty Signature-Input alone': ['proof-malformed', { input: () => [''], signature: () => [] }],
  'an empty Signature alone': ['proof-malformed', { input: () => [], signature: () => [''] }],
  'an empty Signature beside our Signature-Input': ['proof-malformed', { signature: () => [''] }],
  'half a pair with a foreign member': ['proof-malformed', { input: () => [foreign], signature: () => [] }],
  'the other half of a foreign pair': ['proof-malformed', { input: () => [], signature: () => [foreignMac] }],
  'a foreign signature alone': ['unsigned', { input: () => [foreign], signature: () => [foreignMac] }],
  'a foreign member without its signature': [
    'valid',
    { input: (member) => [`x=${member}`, foreign], signature: (mac) => [`x=:${mac}:`] },
  ],
  'a foreign label twice in Signature-Input': [
    'proof-malformed',
    { input: (member) => [`a2a-totp=${member}`, foreign, foreign] },
  ],
  'a foreign label twice in Signature': [
    'proof-malformed',
    { signature: (mac) => [`a2a-totp=:${mac}:`, foreignMac, foreignMac] },
  ],
  'a foreign member that is none, in Signature-Input': [
    'proof-malformed',
    { input: (member) => [`a2a-totp=${member}, Sig=1`] },
  ],
  'a foreign date of RFC 9651': ['proof-malformed', { input: (member) => [`a2a-totp=${member}, x=@1`] }],
  'a foreign number with too many digits': [
    'proof-malformed',
    { signature: (mac) => [`a2a-totp=:${mac}:, x=1234567890123456`] },
  ],
  'foreign members of any other kind': [
    'valid',
    {
      input: (member) => [`*x, y=?0;z, a2a-totp=${member}, n=-1.5;tag=1, t=tok;a;a`],
      signature: (mac) => [`x, y=("a" 1), a2a-totp=:${mac}:, z=:YQ:, w="\\\\"`],
    },
  ],
  'an empty line before ours': ['proof-malformed', { input: (member) => ['', `a2a-totp=${member}`] }],
  'an empty line after our MAC': ['proof-malformed', { signature: (mac) => [`a2a-totp=:${mac}:`, ''] }],
  'whitespace around the lines': [
    'valid',
    { input: (member) => [`\t a2a-totp=${member} \t`], signature: (mac) => [`  a2a-totp=:${mac}:\t`] },
  ],
  'tabs between members': ['valid', { input: (member) => [`a2a-totp=${member}\t,\t${foreign}`] }],
  'a line break after our member': ['proof-malformed', { input: (member) => [`a2a-totp=${member}\n`] }],
  'folding between members': [
    'proof-malformed',
    { input: (member) => [`a2a-totp=${member},\r\n ${foreign}`] },
  ],
  'ours split over two lines': [
    'proof-malformed',
    {
      input: (member) => {
        const at = member.indexOf(' ')
        return [`a2a-totp=${member.slice(0, at)}`, member.slice(at + 1)]
      },
    },
  ],
  'a label with a star': [
    'valid',
    { input: (member) => [`*.-_=${member}`], signature: (mac) => [`*.-_=:${mac}:`] },
  ],
  'a label in capital letters': [
    'proof-malformed',
    { input: (member) => [`A2A=${member}`], signature: (mac) => [`A2A=:${mac}:`] },
  ],
  'the label constructor': [
    'valid',
    { input: (member) => [`constructor=${member}`], signature: (mac) => [`constructor=:${mac}:`] },
  ],
  'our MAC under another label': ['proof-malformed', { signature: (mac) => [`other=:${mac}:`] }],
  'two of ours under two labels': [
    'proof-malformed',
    { input: (member) => [`a=${member}, b=${member}`], signature: (mac) => [`a=:${mac}:, b=:${mac}:`] },
  ],
  'one of ours, and one whose second tag is ours': [
    'proof-malformed',
    { input: (member) => [`a2a-totp=${member}, b=();tag="x";tag="a2a-totp/proof/v1"`] },
  ],
  'one of ours that is no list': [
    'proof-malformed',
    { input: () => ['a2a-totp="x";tag="a2a-totp/proof/v1"'] },
  ],
  'one of ours without a value': ['proof-malformed', { input: () => ['a2a-totp;tag="a2a-totp/proof/v1"'] }],
})

describeForgeries('tag', {
  'a token': ['unsigned', { parameters: parameters({ tag: 'tag=a2a-totp' }) }],
  'a token that is spelled the same': [
    'unsigned',
    { parameters: parameters({ tag: 'tag=a2a-totp/proof/v1' }) },
  ],
  bytes: ['unsigned', { parameters: parameters({ tag: 'tag=:YTJhLXRvdHAvcHJvb2YvdjE=:' }) }],
  'without a value': ['unsigned', { parameters: parameters({ tag: 'tag' }) }],
  'the empty string': ['unsigned', { parameters: parameters({ tag: 'tag=""' }) }],
  'with a blank at its end': ['unsigned', { parameters: parameters({ tag: 'tag="a2a-totp/proof/v1 "' }) }],
  'first another, then ours': [
    'proof-malformed',
    { parameters: parameters({ tag: 'tag="x";tag="a2a-totp/proof/v1"' }) },
  ],
  'first ours, then another': [
    'proof-malformed',
    { parameters: parameters({ tag: 'tag="a2a-totp/proof/v1";tag="x"' }) },
  ],
  'first ours, then a token': [
    'proof-malformed',
    { parameters: parameters({ tag: 'tag="a2a-totp/proof/v1";tag=x' }) },
  ],
  'of a component alone': [
    'unsigned',
    { list: `("@method";tag="a2a-totp/proof/v1")`, parameters: parameters({ tag: 'tag="x"' }) },
  ],
})

describeForgeries('the MAC', {
  'with a parameter': ['proof-malformed', { signature: (mac) => [`a2a-totp=:${mac}:;x`] }],
  'of 31 bytes': [
    'proof-malformed',
    { signature: () => [`a2a-totp=:${Buffer.alloc(31).toString('base64')}:`] },
  ],
  'of 33 bytes': [
    'proof-malformed',
    { signature: () => [`a2a-totp=:${Buffer.alloc(33).toString('base64')}:`] },
  ],
  'in a list': ['proof-malformed', { signature: (mac) => [`a2a-totp=(:${mac}:)`] }],
  'as a token': ['proof-malformed', { signature: () => ['a2a-totp=AAAA'] }],
  'without a value': ['proof-malformed', { signature: () => ['a2a-totp'] }],
  'of zeros': ['proof-mac', { signature: () => [`a2a-totp=:${Buffer.alloc(32).toString('base64')}:`] }],
})

describeForgeries('parameters', {
  'created of 15 digits': [
    'proof-stale',
    { parameters: parameters({ created: 'created=999999999999998', expires: 'expires=999999999999999' }) },
  ],
  'created of 16 digits': [
    'proof-malformed',
    {
      parameters: parameters({ created: 'created=1000000000000000', expires: 'expires=1000000000000001' }),
    },
  ],
  'created below zero': [
    'proof-stale',
    { parameters: parameters({ created: 'created=-30', expires: 'expires=-1' }) },
  ],
  'created as minus zero': [
    'proof-malformed',
    { parameters: parameters({ created: 'created=-0', expires: 'expires=1' }) },
  ],
  'created with a zero in front': [
    'proof-malformed',
    { parameters: parameters({ created: `created=0${proofNow - 2}` }) },
  ],
  'created with .0': [
    'proof-malformed',
    { parameters: parameters({ created: `created=${proofNow - 2}.0` }) },
  ],
  'created as a boolean': ['proof-malformed', { parameters: parameters({ created: 'created' }) }],
  'expires as a string': [
    'proof-malformed',
    { parameters: parameters({ expires: `expires="${proofNow + 58}"` }) },
  ],
  'the longest life': ['valid', { parameters: parameters({ created: created(0), expires: expires(60) }) }],
  'a second more': [
    'proof-malformed',
    { parameters: parameters({ created: created(0), expires: expires(61) }) },
  ],
  'the shortest life, at its end': [
    'valid',
    { parameters: parameters({ created: created(-1), expires: expires(0) }) },
  ],
  'no life': ['proof-malformed', { parameters: parameters({ created: created(0), expires: expires(0) }) }],
  'as far ahead as it may be': [
    'valid',
    { parameters: parameters({ created: created(60), expires: expires(120) }) },
  ],
  'a second further': [
    'proof-stale',
    { parameters: parameters({ created: created(61), expires: expires(120) }) },
  ],
  'the last second': ['valid', { parameters: parameters({ created: created(-60), expires: expires(0) }) }],
  'the second after it': [
    'proof-stale',
    { parameters: parameters({ created: created(-61), expires: expires(-1) }) },
  ],
  'a nonce of 16 bytes': ['valid', { parameters: parameters({ nonce: `nonce="${'A'.repeat(22)}"` }) }],
  'a nonce of 48 bytes': ['valid', { parameters: parameters({ nonce: `nonce="${'-_'.repeat(32)}"` }) }],
  'a nonce with spare bits, whose text is what counts': [
    'valid',
    { parameters: parameters({ nonce: `nonce="${'_'.repeat(22)}"` }) },
  ],
  'a nonce of 21 characters': [
    'proof-malformed',
    { parameters: parameters({ nonce: `nonce="${'A'.repeat(21)}"` }) },
  ],
  'a nonce of 65 characters': [
    'proof-malformed',
    { parameters: parameters({ nonce: `nonce="${'A'.repeat(65)}"` }) },
  ],
  'a nonce of 25 characters, which no bytes have': [
    'proof-malformed',
    { parameters: parameters({ nonce: `nonce="${'A'.repeat(25)}"` }) },
  ],
  'a nonce with a dot': [
    'proof-malformed',
    { parameters: parameters({ nonce: `nonce="${'A'.repeat(21)}."` }) },
  ],
  'a nonce as a token': ['proof-malformed', { parameters: parameters({ nonce: `nonce=${'A'.repeat(22)}` }) }],
  'an empty nonce': ['proof-malformed', { parameters: parameters({ nonce: 'nonce=""' }) }],
  'an empty keyid': ['proof-key', { parameters: parameters({ keyid: 'keyid=""' }) }],
  'a keyid as a token': ['proof-malformed', { parameters: parameters({ keyid: 'keyid=billing/43wWxVif' }) }],
  'a keyid twice, both right': [
    'proof-malformed',
    { parameters: [...rightParameters, 'keyid="billing/43wWxVif"'].join(';') },
  ],
  'alg as a token': ['proof-malformed', { parameters: [...rightParameters, 'alg=hmac-sha256'].join(';') }],
  'alg without a value': ['proof-malformed', { parameters: [...rightParameters, 'alg'].join(';') }],
  'an empty alg': ['proof-malformed', { parameters: [...rightParameters, 'alg=""'].join(';') }],
  'an unknown one with a star': ['proof-malformed', { parameters: [...rightParameters, '*'].join(';') }],
  'a blank after a semicolon': ['proof-malformed', { parameters: rightParameters.join('; ') }],
})
