import type { Explanation } from './page.js'

/** The checks of the agent as a whole. */
export const agentExplanations = {
  reach: {
    means: 'Nothing answered at the URL, so nothing was tested. The command ends with exit code 4.',
    mend: [
      'Is the agent running, and listening on the address that you named, not only on 127.0.0.1 of its container?',
      'Behind a proxy, name the outer URL. In CI, wait until the card is served before you probe.',
    ],
  },
  tls: {
    means:
      'Token and code travel readable, or the certificate is not trusted. A code that was read on its way can be used for as long as it lives (policy `reuse`), and the token for good.',
    mend: [
      'Serve the agent over https. On loopback plain http is fine.',
      'A private certificate authority: name its certificate with `--ca FILE`.',
      'A test network where this is accepted: `--insecure-http` sends credentials all the same; the check still fails.',
    ],
  },
  'card.fetch': {
    means:
      'Clients find the interfaces and the security schemes in the agent card. Without it they cannot call. The probe took the URL itself for the endpoint.',
    mend: [
      'Serve it at `/.well-known/agent-card.json`, outside the guard: the card is public.',
      '@a2a-js/sdk: mount `agentCardHandler` before the guard. a2a-sdk (Python): card routes are separate; let the middleware skip them.',
    ],
  },
  'card.bearer': {
    means: 'A client that reads the card does not learn that it needs a bearer token.',
    mend: [
      '`a2a-totp config card --merge CARD.json` prints the whole card as it should be.',
      '@a2a-js/sdk: `withTotpSecurity(card)`; its own `agentCardHandler` writes security schemes in a form that clients cannot read.',
    ],
  },
  'card.totp': {
    means: 'A client that reads the card does not learn that it needs the header with the code.',
    mend: [
      'Declare an apiKey scheme in the header: `a2a-totp config card --merge CARD.json`.',
      'The name must be the header that the guard reads; see `--header` of `a2a-totp init`.',
    ],
  },
  'card.and': {
    means:
      'Security requirements are alternatives: a client needs to meet one of them. An alternative with bearer alone, or an empty one, tells clients that the second factor is optional. Requirements of skills count as well.',
    mend: [
      'Put both names into one requirement: `{"bearer": [], "totp": []}` in 0.3, `{"schemes": {"bearer": {}, "totp": {}}}` in 1.0.',
      '`a2a-totp config card --merge CARD.json` adds the second factor to every alternative that has bearer.',
    ],
  },
  coverage: {
    means:
      'PASS has to be shown. The card names an interface in which right credentials were not let in, or that was not tested at all, or nothing but throttling (429) came for a check. A refusal proves nothing at an agent that refuses everyone, and what was not tested may be open. Where a throttled call says when to try again, a run waits for that once, for 60 s at most, and sends no wrong code before right credentials were let in.',
    mend: [
      'See `auth.valid` for why right credentials were not let in.',
      'A card that names an interface which is not served: take it out of the card.',
      'An interface on another host: probe it there, or let credentials go to it with `--allow-host HOST`.',
      'Throttled: probe again when the limit is over, from an address and with a peer that are not limited otherwise.',
    ],
  },
  clock: {
    means:
      "The agent's clock is further off than its window allows, going by the Date of its answers: correct codes are refused, or soon will be.",
    mend: [
      'Synchronise both clocks (NTP, chrony). Containers take the clock of their host.',
      'A Date that a cache made can mislead; answers with an Age are left out.',
    ],
  },
  window: {
    means:
      'On demand (`--window-scan`). Each time step that is accepted besides the current one makes a guess likelier to hit, and lets a code that was seen live longer. RFC 6238, 5.2 recommends one step; two are tolerable.',
    mend: [
      'Lower the window: `--window` of `a2a-totp init`, `valid_window` in pyotp, `window` in otplib and otpauth.',
      'Mend the clocks instead of widening the window.',
    ],
  },
  throttle: {
    means:
      'On demand (`--throttle`). With a stolen token, six digits and no limit, a code is guessed within the hour at 100 tries a second. The probe sent more distinct wrong codes than any caller needs, and none was slowed down. Afterwards the peer may be shut out for a while: use one of its own.',
    mend: [
      'Count wrong codes per peer and token, not per address, and do not reset the count with a success.',
      'Ours does: `TOTPServerAuthScheme` with its default `throttle`; with replicas, share its state in Redis.',
    ],
  },
} as const satisfies Record<string, Explanation>
