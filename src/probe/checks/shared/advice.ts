export const oneGuard =
  'Put the guard in front of the whole mount, not into single handlers. @a2a-js/sdk 1.3 and 0.3.14: `app.use(totpGuard(scheme))` before `jsonRpcHandler` and `restHandler`; gRPC: the interceptor of `a2a-totp/server/grpc`.'

export const pythonGuards =
  'a2a-sdk (Python): an ASGI middleware for HTTP and a `grpc.aio.ServerInterceptor` for gRPC; `is_authenticated` of a user is not enforced by the SDK.'

export const userBuilders =
  'A user builder or call context builder only reports who called: returning an unauthenticated user refuses nobody.'
