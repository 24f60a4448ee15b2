import { generateKeyPairSync } from 'node:crypto'
import { edited, withInterface, withoutScheme, withRequirements, withScheme } from './card-edits.js'
import { fails, overHttpOnly, warns, type Defect } from './defect.js'

/** Agents that guard well and whose card asks for too little. */
const demands: readonly Defect[] = [
  {
    name: 'declares no bearer scheme',
    quirks: edited((card) => withoutScheme(card, 'bearer')),
    named: warns('card.bearer', 'card.and'),
  },
  {
    name: 'declares Basic in place of bearer',
    quirks: edited((card) =>
      withScheme(
        card,
        'bearer',
        { httpAuthSecurityScheme: { scheme: 'Basic' } },
        { type: 'http', scheme: 'basic' },
      ),
    ),
    named: warns('card.bearer', 'card.and'),
  },
  {
    name: 'declares no header scheme',
    quirks: edited((card) => withoutScheme(card, 'totp')),
    named: warns('card.totp', 'card.and'),
  },
  ...(
    [
      ['another header', 'header', 'X-OTP'],
      ['a parameter of the query', 'query', 'X-TOTP'],
      ['a cookie', 'cookie', 'X-TOTP'],
    ] as const
  ).map(([what, place, name]): Defect => ({
    name: `declares ${what} for the code`,
    quirks: edited((card) =>
      withScheme(
        card,
        'totp',
        { apiKeySecurityScheme: { location: place, name } },
        { type: 'apiKey', in: place, name },
      ),
    ),
    named: warns('card.totp', 'card.and'),
  })),
  {
    name: 'declares bearer OR the header',
    quirks: edited((card) => withRequirements(card, ['bearer'], ['totp'])),
    named: warns('card.and'),
  },
  {
    name: 'declares both, OR bearer alone',
    quirks: edited((card) => withRequirements(card, ['bearer', 'totp'], ['bearer'])),
    named: warns('card.and'),
  },
  {
    name: 'declares an empty requirement',
    quirks: edited((card) => withRequirements(card, ['bearer', 'totp'], [])),
    named: warns('card.and'),
  },
  {
    name: 'declares no requirement',
    quirks: edited((card) => withRequirements(card)),
    named: warns('card.and'),
  },
  {
    name: 'asks clients of 0.3 for bearer alone',
    quirks: edited((card) => ('security' in card ? withRequirements(card, ['bearer']) : card)),
    named: warns('card.and'),
  },
  {
    name: 'lets a skill do with bearer alone',
    quirks: edited((card) => ({ ...card, skills: [withRequirements({ id: 'echo' }, ['bearer'])] })),
    named: warns('card.and'),
  },
  {
    name: 'lets a skill do with nothing',
    quirks: edited((card) => ({ ...card, skills: [withRequirements({ id: 'echo' }, [])] })),
    named: warns('card.and'),
  },
]

/** Without a card nothing says what there is, so that nothing was shown of the rest. */
const unreadable = { 'card.fetch': 'warn', coverage: 'fail' } as const

const absent: readonly Defect[] = (
  [
    ['serves no card', () => 'no card here'],
    ['serves an empty object for a card', () => ({})],
    ['serves a list for a card', () => []],
  ] as const
).map(([name, card]) => ({ name, quirks: { card }, path: '/rpc', named: unreadable }))

/** Agents that guard well, and whose card names what cannot be shown. */
const interfaces: readonly Defect[] = (
  [
    ['a host of somebody else', 'https://elsewhere.invalid/rest', 'HTTP+JSON', '1.0'],
    ['another port of this machine', 'http://127.0.0.1:1/rest?to=0', 'HTTP+JSON', '1.0'],
    ['a listening address', 'http://0.0.0.0:PORT/rpc', 'JSONRPC', '1.0'],
    ['a listening address of IPv6', 'http://[::]:PORT/rpc', 'JSONRPC', '1.0'],
    ['a transport that is none', 'ORIGIN/rpc', 'json-rpc-2.0', '1.0'],
    ['a transport of its own', 'ws://127.0.0.1:PORT/ws', 'WEBSOCKET', '1.0'],
    ['a version to come', 'ORIGIN/rpc', 'JSONRPC', '2.0'],
    ['an address that is none', 'http://', 'JSONRPC', '1.0'],
    ['no address', '', 'JSONRPC', '1.0'],
    ['a file', 'file:///etc/agent', 'JSONRPC', '1.0'],
    ['a name of gRPC with addresses in it', 'ipv4:10.0.0.1:50051', 'GRPC', '1.0'],
    ['a REST interface that nobody serves', 'ORIGIN/nowhere', 'HTTP+JSON', '1.0'],
    ['a gRPC interface that nobody serves', '127.0.0.1:1', 'GRPC', '1.0'],
  ] as const
).map(([what, url, binding, version]) => ({
  name: `names ${what}`,
  quirks: withInterface(url, binding, version),
  named: fails('coverage'),
}))

export const cardDefects: readonly Defect[] = [
  ...demands,
  {
    name: 'has a card that somebody else signed',
    quirks: edited((card) => ({
      ...card,
      signatures: [
        { protected: base64url('{"alg":"ES256","kid":"ours"}'), signature: base64url('x'.repeat(64)) },
      ],
    })),
    options: () => ({ cardKeys: { keys: [{ ...someKey(), kid: 'ours', alg: 'ES256' }] } }),
    named: fails('card.signature'),
  },
  // Over gRPC, they are probed with the endpoint itself as URL.
  ...overHttpOnly([
    ...absent,
    ...interfaces,
    {
      name: 'names more interfaces than a run may test',
      quirks: edited((card) =>
        'supportedInterfaces' in card
          ? {
              ...card,
              supportedInterfaces: Array.from({ length: 14 }, (_, index) => ({
                ...(card['supportedInterfaces'] as object[])[0],
                tenant: `tenant-${index}`,
              })),
            }
          : card,
      ),
      named: fails('coverage'),
    },
  ]),
]

const base64url = (text: string): string => Buffer.from(text).toString('base64url')

const someKey = (): object =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
