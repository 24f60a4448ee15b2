import type { Explanation } from './page.js'

const oneGuard =
  'Put the guard in front of the whole mount, not into single handlers. @a2a-js/sdk 1.3 and 0.3.14: `app.use(totpGuard(scheme))` before `jsonRpcHandler` and `restHandler`; gRPC: the interceptor of `a2a-totp/server/grpc`.'
const python =
  'a2a-sdk (Python): an ASGI middleware for HTTP and a `grpc.aio.ServerInterceptor` for gRPC; `is_authenticated` of a user is not enforced by the SDK.'
const userBuilder =
  'A user builder or call context builder only reports who called: returning an unauthenticated user refuses nobody.'

/** The checks that something is kept out. */
export const refusalExplanations = {
  'auth.none': {
    means: 'A caller without any credentials was let in: the agent, or this one of its interfaces, is open.',
    mend: [oneGuard, python, userBuilder],
  },
  'auth.bearer-only': {
    means:
      'A token without a code was let in, so the second factor is optional. Whoever finds the token in a log is in.',
    mend: [
      'Refuse a request without the header; a missing code is not "no second factor configured".',
      'Check both in one place: nothing should be able to verify a token alone.',
      oneGuard,
    ],
  },
  'auth.totp-only': {
    means: 'A code without a token was let in. Six digits alone can be guessed.',
    mend: ['Look the peer up by its token first, and check the code against that peer only.', oneGuard],
  },
  'auth.wrong-code': {
    means: 'A well-formed wrong code was let in: the value of the header is not compared with anything.',
    mend: [
      'Check what your verify function returns: several libraries answer with a drift, where 0 is right and falsy, or with null.',
      'An exception or a store that is down must refuse, not let pass.',
    ],
  },
  'auth.expired-code': {
    means:
      'A code of more than five minutes ago was let in: the window is far too wide, or codes are stored.',
    mend: [
      'Window 1 (RFC 6238, 5.2), in steps, not in seconds: a window of 30 "seconds" may be 30 steps either side.',
      'Find out how wide it is with `--window-scan`.',
    ],
  },
  'auth.future-code': {
    means:
      'A code of minutes from now was let in: the window is far too wide, or the counter is not the time.',
    mend: ['As for `auth.expired-code`; and look at the clock of the agent (`clock`).'],
  },
  'auth.cross-peer': {
    means:
      "Another peer's code was let in with this token: one peer can act as another once it has the token, and the second factor protects nobody.",
    mend: [
      'Look the seed up by the peer that the token belongs to, and try no other seed.',
      'A shared seed makes this impossible to check: give each peer its own.',
    ],
  },
  'auth.malformed-code': {
    means:
      'Something that is no code was let in because it was bent into one: trimmed, split, normalised (pyotp takes `¹²³`), or read as a number. Each such rule is a difference between what was checked and what others see.',
    mend: [
      'Before any HMAC, demand ASCII digits and exactly as many as the profile says: `/^[0-9]{6}$/`.',
      'Refuse; do not repair.',
    ],
  },
  'auth.duplicate-header': {
    means:
      'With a header sent twice, one of the two was picked. A proxy may have checked the other one. Node keeps the first Authorization silently and joins other headers with a comma.',
    mend: [
      'Count the lines: `request.rawHeaders` in Node, `scope["headers"]` in ASGI, `metadata.get(name)` in gRPC.',
      'Refuse a value with a comma.',
    ],
  },
  'auth.wrong-token': {
    means: 'An unknown token was let in with a valid code: the first factor is not checked.',
    mend: ['Refuse unknown tokens; do not fall back to a default peer or a shared seed.', oneGuard],
  },
  'auth.stream': {
    means:
      'A stream was opened without the second factor. What the agent sends there is for authenticated peers, and streams are often routes of their own that the guard was forgotten on.',
    mend: [
      oneGuard,
      'REST: `/tasks/ID:subscribe` and `/message:stream`; gRPC: interceptors must cover streaming calls as well.',
    ],
  },
  'auth.after-valid': {
    means:
      'What was refused before a success was let in after one, on the same connection or with the same token: the agent remembers that somebody was authenticated, and takes others for them. Behind a proxy, connections are shared. With `auth.wrong-code`: wrong codes are sent last, so which of the two it is cannot be told.',
    mend: [
      'Authenticate every request (A2A 0.3, 4.4; 1.0, 7.4); keep no verdict per connection, socket or token.',
      'A cache of verdicts must have the code and its time step in its key.',
    ],
  },
} as const satisfies Record<string, Explanation>
