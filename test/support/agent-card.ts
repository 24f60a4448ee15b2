export type Version = '1.0' | '0.3'

/** A card as the specification of each version spells it, demanding bearer AND the header (a2a 1.0 §4.5, 0.3 §5.5). */
export function cardFor(
  version: Version,
  origin: string,
  header: string,
  grpcPort?: number,
): Record<string, unknown> {
  const grpc = grpcPort === undefined ? [] : [`127.0.0.1:${grpcPort}`]
  const common = {
    name: 'Test agent',
    description: 'for tests',
    version: '1.0.0',
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'says it back', tags: [] }],
  }
  return version === '1.0'
    ? {
        ...common,
        supportedInterfaces: (['1.0', '0.3'] as const).flatMap((protocolVersion) => [
          { url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion },
          { url: `${origin}/rest`, protocolBinding: 'HTTP+JSON', protocolVersion },
          ...grpc.map((url) => ({ url, protocolBinding: 'GRPC', protocolVersion })),
        ]),
        securitySchemes: {
          bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
          totp: { apiKeySecurityScheme: { location: 'header', name: header } },
        },
        securityRequirements: [{ schemes: { bearer: { list: [] }, totp: { list: [] } } }],
      }
    : {
        ...common,
        protocolVersion: '0.3.0',
        url: `${origin}/rpc`,
        preferredTransport: 'JSONRPC',
        additionalInterfaces: [
          { url: `${origin}/rest`, transport: 'HTTP+JSON' },
          ...grpc.map((url) => ({ url, transport: 'GRPC' })),
        ],
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          totp: { type: 'apiKey', in: 'header', name: header },
        },
        security: [{ bearer: [], totp: [] }],
      }
}
