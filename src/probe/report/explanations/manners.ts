import type { Explanation } from './page.js'

/** The checks of what is let in, and of how the agent refuses. */
export const mannersExplanations = {
  'auth.valid': {
    means:
      'Token and code are right as far as the probe knows, and the agent did not let them in. Where they are refused everywhere, the probe tries another header and other lengths of code, which spends no guess, and reports what it found. Throttled (429, or 503) it waits once, as long as Retry-After says, up to 60 s; still throttled after that fails, since nothing showed that anybody is let in. A warning: let in, but unusually.',
    mend: [
      'Clock: compare `date -u` on both hosts. Codes live 30 s, ±1 step.',
      'Settings: algorithm, digits, period and header must be the same on both sides; `a2a-totp show NAME` has them.',
      'Token and seed belong together: after `rotate`, give both to the client and reload the server.',
      'A proxy may strip the header: send one request past it.',
      '503: the state is down, or an agent with policy once has just started: codes of before its start may have been used. Probe again when Retry-After has passed.',
      '429: earlier wrong codes count; wait as long as Retry-After says, or `a2a-totp rotate NAME --now`. A limiter in front that counts every request: let the probe pass it.',
    ],
  },
  challenge: {
    means: 'A 401 without WWW-Authenticate: clients do not learn how to authenticate (RFC 9110, 15.5.2).',
    mend: [
      'Send `WWW-Authenticate: Bearer realm="a2a", error="invalid_token"` and `TOTP realm="a2a", header="X-TOTP"`; over gRPC as trailers.',
      'Always with a realm: some parsers drop a bare `Bearer`.',
    ],
  },
  status: {
    means:
      'The caller was kept out, but in a form that clients and proxies take for something else: 403, a redirect, a 200 with an error inside. A server error (5xx, UNKNOWN, INTERNAL) fails: a stranger can make the agent crash, or fill its log.',
    mend: [
      'Answer 401 over HTTP, also for JSON-RPC, and UNAUTHENTICATED over gRPC.',
      '@a2a-js/sdk: refuse in a middleware or interceptor in front; an error thrown in a user builder becomes 500 or UNKNOWN, and its text goes to the caller.',
      'Some verify functions throw on digits of other scripts: check the form first.',
    ],
  },
  uniform: {
    means:
      'An unknown token and the live one get different answers, so a thief learns that a token is live and worth guessing codes for.',
    mend: [
      'One answer, byte for byte, for an unknown token, a missing, a malformed and a wrong code. The reason belongs into the log.',
      'The same work as well: compare with the codes of a dummy peer where the token is unknown.',
    ],
  },
  leak: {
    means:
      'An answer holds a seed, a token or a valid code. Whoever sees answers, or logs of them, can use it.',
    mend: [
      'Take debug headers and echoed headers out of error answers.',
      'Rotate what was shown: `a2a-totp rotate NAME --now`.',
    ],
  },
  replay: {
    means:
      'Says whether a code is accepted twice. Under policy `reuse` it is, by design, for as long as it lives; that is no failure. Under `once` it must not be (RFC 6238, 5.2), also not at another binding.',
    mend: [
      'Remember the last time step per peer and refuse it and every older one, in one atomic step; a plain "set if absent" is not enough.',
      'All bindings, processes and replicas must share that memory: `redisState` of `a2a-totp/server/redis`.',
    ],
  },
} as const satisfies Record<string, Explanation>
