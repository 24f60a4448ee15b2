/** Whether a content type is one of gRPC: `application/grpc`, alone or with a format or parameters. */
export const isGrpcType = (contentType: string): boolean =>
  /^application\/grpc(?:$|[+; \t])/i.test(contentType)

/** The codes of gRPC that a refusal can have. */
export const refusalCodes = { UNAUTHENTICATED: 16, RESOURCE_EXHAUSTED: 8, UNAVAILABLE: 14 } as const
