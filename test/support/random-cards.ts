import fc from 'fast-check'

/** Addresses of every kind that cards were seen to have, and of kinds that they should not. */
const addresses = fc.oneof(
  fc.constantFrom(
    ...['https://agent.example/rpc', 'https://agent.example', 'https://agent.example:8443/rest/'],
    ...['agent.example:50051', 'dns:///agent.example:443', 'http://agent.example/plain', '/rpc', 'rest'],
    ...[
      '//evil.example/x',
      '\\\\evil.example',
      'https:\\\\evil.example',
      'https://agent.example@evil.example/',
    ],
    ...['https://evil.example/rpc', 'evil.example:443', 'wss://evil.example', 'http://127.0.0.1:9/rpc'],
    ...[
      'http://0.0.0.0:9/rest',
      '0.0.0.0:50051',
      'unix:/tmp/a.sock',
      'javascript:alert(1)',
      '',
      ' ',
      '?',
      '#',
    ],
  ),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: 'grapheme' }),
)

const odd = fc.oneof(fc.constantFrom(null, 7, true, '', [], {}), fc.string({ unit: 'grapheme' }))
const mostly = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd })

const transports = fc.constantFrom('JSONRPC', 'HTTP+JSON', 'GRPC', 'grpc', 'REST', 'WEBSOCKET')
const versions = fc.constantFrom('1.0', '0.3', '0.3.0', '0.2.5', '1.0.1', '2.0')

const entry = fc.record(
  {
    url: mostly(addresses),
    transport: mostly(transports),
    protocolBinding: mostly(transports),
    protocolVersion: mostly(versions),
    tenant: mostly(fc.string()),
    URL: addresses,
    protocol_binding: transports,
  },
  { requiredKeys: ['url'] },
)

const scheme = fc.constantFrom(
  { httpAuthSecurityScheme: { scheme: 'Bearer' } },
  { type: 'http', scheme: 'bearer' },
  { scheme: { $case: 'httpAuthSecurityScheme', value: { scheme: 'bearer' } } },
  { apiKeySecurityScheme: { location: 'header', name: 'X-TOTP' } },
  { type: 'apiKey', in: 'header', name: 'x-totp' },
  { type: 'apiKey', in: 'header', name: 'X-Other' },
  { mtlsSecurityScheme: {} },
  {},
)
const names = fc.constantFrom('bearer', 'totp', 'other', 'third', '__proto__', 'constructor')
const scopes = fc.constantFrom({ list: [] }, [], ['read'], {})
const alternative = fc.oneof(
  fc.dictionary(names, scopes).map((schemes) => ({ schemes })),
  fc.dictionary(names, scopes),
)
const requirements = mostly(fc.array(mostly(alternative), { maxLength: 3 }))

const skill = fc.record(
  { id: fc.string(), security: requirements, securityRequirements: requirements },
  { requiredKeys: ['id'] },
)
const extension = fc.constantFrom({ uri: 'urn:a2a-totp:v1', params: {} }, { uri: 'urn:other' }, 'text')

/** Cards of 1.0, 0.3 and both, right and wrong in any field that is read. */
export const randomCards = fc
  .record(
    {
      name: fc.string(),
      supportedInterfaces: mostly(fc.array(mostly(entry), { maxLength: 5 })),
      additionalInterfaces: mostly(fc.array(mostly(entry), { maxLength: 4 })),
      url: mostly(addresses),
      preferredTransport: mostly(transports),
      protocolVersion: mostly(versions),
      supported_interfaces: fc.array(entry, { maxLength: 2 }),
      Url: addresses,
      capabilities: mostly(
        fc.record({ extensions: mostly(fc.array(extension, { maxLength: 3 })) }, { requiredKeys: [] }),
      ),
      securitySchemes: mostly(fc.dictionary(names, mostly(scheme))),
      security: requirements,
      securityRequirements: requirements,
      skills: mostly(fc.array(mostly(skill), { maxLength: 3 })),
      signatures: mostly(fc.constant([{ protected: 'e30', signature: 'c2ln' }])),
    },
    { requiredKeys: [] },
  )
  .map((card) => JSON.parse(JSON.stringify(card)) as Record<string, unknown>)

/** Every address in a card that a client could call, however the field is spelled. */
export function addressesIn(card: Readonly<Record<string, unknown>>): string[] {
  const folded = (name: string): string => name.replaceAll('_', '').toLowerCase()
  const urlsOf = (owner: unknown): unknown[] =>
    typeof owner === 'object' && owner !== null
      ? Object.entries(owner as Record<string, unknown>).flatMap(([name, value]) =>
          folded(name) === 'url' ? [value] : [],
        )
      : [owner]
  const lists = Object.entries(card).filter(([name]) =>
    ['supportedinterfaces', 'additionalinterfaces'].includes(folded(name)),
  )
  const found = [
    ...urlsOf(card),
    ...lists.flatMap(([, list]) =>
      Array.isArray(list) ? list.flatMap((one: unknown) => urlsOf(one)) : [list],
    ),
  ]
  return found.map((one) => (typeof one === 'string' ? one : `not a text: ${JSON.stringify(one)}`))
}
