/** The longer texts, by the word that `help` is given. */
export const topics: Readonly<Record<string, string>> = {
  store: `The store is one file, a2a-totp.json, with one agent and the peers that may call it.

It is found by --store, else $A2A_TOTP_STORE, else upward from the working directory; there, only one that is yours, in
folders that nobody else can write to. In plain text it must be readable by you alone (mode 0600) and no link.
A change is whole or not there, also after kill -9 or with a full disk, and two at once wait for each other.
Beside it, a2a-totp.json.log records who changed what, and when. It helps memory and proves nothing: whoever can
write to the store can write to the record.
`,
  encryption: `The store can be encrypted with age (https://age-encryption.org), for recipients or with a passphrase.

  $ age-keygen -o key.txt                        # prints age1…, the recipient
  $ a2a-totp encrypt --encrypt-to age1…          # or init --encrypt-to age1…
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp code alice
  $ a2a-totp recipients add age1deputy…

$A2A_TOTP_IDENTITY is an identity or a file with one; $A2A_TOTP_PASSPHRASE a passphrase. Without them a terminal asks.
An encrypted store may be read by others and committed. The age program opens it as well: age -d -i key.txt a2a-totp.json
`,
  rotation: `Rotation replaces seeds and tokens without anybody being refused.

  1. a2a-totp rotate alice                       old and new are both valid, for 24 h or --overlap
  2. a2a-totp config server --out …              the agent takes both
  3. a2a-totp config client alice --out …        alice uses the new ones
  4. wait, or a2a-totp rotate alice --finish     only the new ones are left; give the agent its file again

The agent refuses the old ones the moment they expire, without a new file. A peer has two live seeds at most, because each
is one more that a guess can hit. After a leak say --now, and give the agent its file at once.
`,
  replay: `The replay policy says how often one code is good.

  reuse  for any number of requests while it lives, up to (2 × window + 1) × period seconds. Works with every client.
  once   for one request. Its time step and all before it are spent then, so captured headers are worth nothing;
         a peer can make one request a period.

It is the store's (init --replay) or a peer's (add-peer --replay).
`,
  environment: `Variables that a2a-totp reads:

  A2A_TOTP_STORE        the store, when --store is not given
  A2A_TOTP_SEED         for code, verify and probe without a store; with A2A_TOTP_TOKEN, _AGENT, _URL, _ALGORITHM,
                        _DIGITS, _PERIOD and _HEADER
  A2A_TOTP_IDENTITY     opens a store encrypted for recipients: an age identity, or a file with one
  A2A_TOTP_PASSPHRASE   opens a store encrypted with a passphrase
  A2A_TOTP_SERVER_FILE  where the agent finds its server file
  NO_COLOR, CI          no colours, spinners and countdowns
`,
  'exit-codes': `Exit codes:

    0  done
    1  the answer is no: an invalid code, a failed check, a serious finding, an unknown peer, something that exists
    2  wrong usage
    3  a store, file or configuration cannot be used or written
    4  the agent cannot be reached
   70  a bug
  130  interrupted; 143 terminated

In 2, 3 and 70 stdout stays empty. An error is one line on stderr that ends in a stable code, such as (ERR_PEER_UNKNOWN).
`,
}
