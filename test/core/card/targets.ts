/**
 * What the addresses of gRPC interfaces mean. Every reader gives these answers: the tests of core, client, probe and
 * fragments run over this table, and docs/client/grpc.md shows it.
 */
export interface Target {
  readonly text: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly loopback: boolean
  /** Whether the page shows it. */
  readonly shown?: true
  readonly remark?: string
}

export interface NoTarget {
  readonly text: string
  readonly why: string
  readonly shown?: true
}

const shown = true as const
const agent = { host: 'agent.example', port: 50051, tls: true, loopback: false }
const here = { host: '127.0.0.1', port: 50051, tls: false, loopback: true }

export const targets: readonly Target[] = [
  { text: 'agent.example:50051', ...agent, shown },
  { text: 'agent.example', ...agent, port: 443, shown },
  { text: 'AGENT.Example:50051', ...agent },
  { text: 'agent.example:80', ...agent, port: 80 },
  { text: 'agent.example:443', ...agent, port: 443 },
  { text: '10.0.0.1:50051', ...agent, host: '10.0.0.1' },
  { text: '[2001:db8::1]:50051', ...agent, host: '[2001:db8::1]' },
  { text: 'localhost:50051', ...here, host: 'localhost', shown },
  { text: 'localhost', ...here, host: 'localhost', port: 443 },
  { text: '127.0.0.1:50051', ...here, shown },
  { text: '127.9.9.9:50051', ...here, host: '127.9.9.9' },
  { text: 'agent.unix:443', ...agent, host: 'agent.unix', port: 443 },
  { text: '[::1]:50051', ...here, host: '[::1]', shown },
  // No other name is this machine for certain.
  { text: 'agent.localhost:50051', ...agent, host: 'agent.localhost', shown },
  { text: 'localhost.:50051', ...agent, host: 'localhost.' },
  { text: 'localhost.example:50051', ...agent, host: 'localhost.example' },
  { text: '[::ffff:127.0.0.1]:50051', ...agent, host: '[::ffff:7f00:1]' },
  { text: '[::2]:50051', ...agent, host: '[::2]' },

  { text: 'dns:agent.example:50051', ...agent, shown },
  { text: 'dns:///agent.example:50051', ...agent, shown },
  { text: 'dns:///agent.example', ...agent, port: 443 },
  { text: 'DNS:localhost:50051', ...here, host: 'localhost' },
  { text: 'dns:127.0.0.1:50051', ...here },
  { text: 'dns:unix:443', ...agent, host: 'unix', port: 443 },
  { text: 'ipv4:10.0.0.1:50051', ...agent, host: '10.0.0.1', shown },
  { text: 'ipv4:10.0.0.1', ...agent, host: '10.0.0.1', port: 443 },
  { text: 'ipv4:10.20.30.40:50051', ...agent, host: '10.20.30.40' },
  { text: 'ipv4:///10.0.0.1:50051', ...agent, host: '10.0.0.1' },
  { text: 'ipv4:127.0.0.1:50051', ...here },
  { text: 'ipv6:[2001:db8::1]:50051', ...agent, host: '[2001:db8::1]', shown },
  { text: 'ipv6:2001:db8::1', ...agent, host: '[2001:db8::1]', port: 443 },
  { text: 'ipv6:[::1]:50051', ...here, host: '[::1]' },

  { text: 'grpc://localhost:50051', ...here, host: 'localhost' },
  { text: 'grpc://agent.example:50051', ...agent, tls: false, shown },
  { text: 'grpc://agent.example:80', ...agent, port: 80, tls: false },
  { text: 'grpc://agent.example', ...agent, port: 443, tls: false },
  { text: 'grpcs://agent.example:50051', ...agent, shown },
  { text: 'grpcs://agent.example', ...agent, port: 443 },
  { text: 'GRPCS://127.0.0.1:50051', ...here, tls: true },
  { text: 'http://agent.example:50051', ...agent, tls: false, shown },
  { text: 'http://agent.example', ...agent, port: 80, tls: false },
  { text: 'http://127.0.0.1:50051/', ...here },
  { text: 'http://127.1:50051', ...here },
  { text: 'https://agent.example:50051', ...agent, shown },
  { text: 'https://agent.example/', ...agent, port: 443 },
  { text: 'https://127.0.0.1:50051', ...here, tls: true },
  {
    text: 'https://agent.example:50051/a2a',
    ...agent,
    remark: 'path ignored: gRPC has its own paths',
  },
  { text: 'grpcs://me:pw@agent.example:50051', ...agent, remark: 'user name and password not sent' },
  { text: 'grpcs://me@agent.example:50051', ...agent, remark: 'user name and password not sent' },
  { text: 'grpcs://:pw@agent.example:50051', ...agent, remark: 'user name and password not sent' },
  { text: 'https://agent.example:50051?key=1', ...agent, remark: 'query not sent' },
  { text: 'https://agent.example:50051#v1', ...agent, remark: 'fragment dropped' },
]

const notATarget =
  'not a gRPC target; expected host:port, dns:, ipv4:, ipv6:, or a URL with grpc, grpcs, http or https'

export const noTargets: readonly NoTarget[] = [
  { text: '', why: 'no address' },
  { text: ' ', why: 'no address' },
  { text: '0.0.0.0:50051', why: '0.0.0.0 is a listening address, which cannot be called', shown },
  { text: '[::]:50051', why: '[::] is a listening address, which cannot be called', shown },
  { text: 'ipv6:[::]:50051', why: '[::] is a listening address, which cannot be called' },
  { text: '[::ffff:0.0.0.0]:50051', why: '[::ffff:0:0] is a listening address, which cannot be called' },
  { text: 'grpcs://0:50051', why: '0.0.0.0 is a listening address, which cannot be called' },
  { text: 'agent.example:0', why: 'port 0 cannot be called' },
  { text: '50051', why: 'no host' },
  { text: 'dns:50051', why: 'no host' },
  { text: 'dns://192.0.2.53/agent.example:50051', why: 'names its own name server', shown },
  { text: 'ipv4:10.0.0.1:1,10.0.0.2:1', why: 'names several addresses', shown },
  { text: 'ipv6:[::1]:1,[::2]:1', why: 'names several addresses' },
  { text: 'ipv4:agent.example:50051', why: 'not an IPv4 address' },
  { text: 'ipv4:127.1:50051', why: 'not an IPv4 address' },
  { text: '127.1:50051', why: 'not an IPv4 address' },
  { text: '0x7f.1:50051', why: 'not an IPv4 address' },
  { text: '127.0.0.1.:50051', why: 'not an IPv4 address' },
  { text: 'dns:127.1:50051', why: 'not an IPv4 address' },
  { text: 'ipv4:010.0.0.1:50051', why: 'not an IPv4 address' },
  { text: 'ipv4:1.10.0.0.1:50051', why: 'not an IPv4 address' },
  { text: 'ipv6:127.0.0.1:50051', why: 'not an IPv6 address' },
  { text: 'ipv6:fe80::1%eth0', why: 'not an IPv6 address' },
  { text: 'ipv6:x::1', why: 'not an IPv6 address' },
  { text: 'ipv6:agent.example[::1]', why: 'not an IPv6 address' },
  { text: 'unix:/tmp/agent.sock', why: notATarget, shown },
  ...[
    ...[
      'unix:443',
      'unix:///tmp/agent.sock',
      'unix-abstract:agent',
      'vsock:2:1024',
      'xds:///agent',
      'xds:443',
    ],
    ...[
      'grpc:agent.example:50051',
      'grpc+tls://agent.example',
      'ws://agent.example',
      'tcp://agent.example:1',
    ],
    ...[
      'a@b:1',
      'a#b:1',
      'a b:1',
      'a\\b:1',
      '::1',
      'agent.example:123456',
      'agent.example:99999',
      '/rpc',
      ':50051',
    ],
    ...[
      'dns:/agent.example:1',
      'dns:https://agent.example:1',
      'x-dns:agent.example:1',
      'dns:agent.example/x',
      'agent.example:50051/x',
      'agent.example:x',
      'a:1:2',
      '[::1',
    ],
    ...['ipv4:999.0.0.1:1', 'ipv6:[::g]:1'],
  ].map((text) => ({ text, why: notATarget })),
  ...['grpc://', 'grpcs://agent.example:99999', 'http://a b', 'https://[::1'].map((text) => ({
    text,
    why: 'not a URL',
  })),
]
