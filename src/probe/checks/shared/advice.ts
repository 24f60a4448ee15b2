export const oneGuard =
  'Put the guard in front of the whole mount, not into individual handlers. @a2a-js/sdk 1.3 and 0.3.14: `app.use(totpGuard(scheme))` before `jsonRpcHandler` and `restHandler`; gRPC: the interceptor of `a2a-totp/server/grpc`.'

export const pythonGuards =
  'a2a-sdk (Python): use an ASGI middleware for HTTP and a `grpc.aio.ServerInterceptor` for gRPC; the SDK does not enforce `is_authenticated` of a user.'

export const userBuilders =
  'A user builder or call context builder only reports who called: returning an unauthenticated user does not refuse the call.'
