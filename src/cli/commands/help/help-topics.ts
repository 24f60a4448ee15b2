/** The longer texts, by the topic of `help`. */
export const topics: Readonly<Record<string, string>> = {
  store: `The store is one file, a2a-totp.json, with one agent and the peers that may call it.

Commands use the store of --store, else of $A2A_TOTP_STORE, else the nearest one upward from the working directory, if it
is yours and its folders are writable only by you. In plain text it must be readable only by you (mode 0600), and not a
link. Changes are atomic, even after kill -9 or with a full disk, and concurrent changes wait for each other.
a2a-totp.json.log beside it records who changed what, and when; log shows it. It is not evidence: anyone who can write to
the store can write to the record. a2a-totp.json.bak-prev is the store before its last change; undo puts it back, once.
`,
  encryption: `The store can be encrypted with age (https://age-encryption.org), for recipients or with a passphrase.

  $ age-keygen -o key.txt                        # prints age1…, the recipient
  $ a2a-totp encrypt --encrypt-to age1…          # or init --encrypt-to age1…
  $ A2A_TOTP_IDENTITY=key.txt a2a-totp code alice
  $ a2a-totp recipients add age1deputy…

$A2A_TOTP_IDENTITY is an identity or a file with one; $A2A_TOTP_PASSPHRASE is a passphrase. Without them you are asked at
a terminal. An encrypted store may be readable by others and committed. The age program opens it as well:
age -d -i key.txt a2a-totp.json
`,
  rotation: `Rotation replaces seeds and tokens without refusing any request.

  1. a2a-totp rotate alice                       old and new are both valid, for 24 h or --overlap
  2. a2a-totp config server --out …              the agent accepts both
  3. a2a-totp config client alice --out …        alice uses the new ones
  4. wait, or a2a-totp rotate alice --finish     only the new ones are left; update the server file

Or all of it in one command, which proves each step before the next and can be resumed:

  $ a2a-totp rotate alice --server-out server.json --prove https://billing.example --deliver 'COMMAND'
  $ a2a-totp rotate --resume                     after a failure; the old ones stay valid until then

The agent refuses the old ones as soon as they expire, without a new file. A peer has at most two live seeds, because
each makes it easier to guess a code. After a leak use --now, and update the server file at once.
`,
  replay: `The replay policy decides how often one code is accepted.

  reuse  for any number of requests in its lifetime, up to (2 × window + 1) × period seconds. Works with every client.
  once   for one request. This spends its time step and all before it, so captured headers are worthless; a peer can
         make one request per period, and beside signed accept or require any number of requests with a proof each.

Beside signed require a code alone is valid for no request, whatever the replay policy: see help proofs.

Set it for the agent (init --replay, set --replay) or a peer (add-peer --replay, set NAME --replay). A peer without its own
follows the agent; set NAME --replay inherit lets it follow again.
`,
  proofs: `A proof binds one request to the seed: method, path, body and token are signed with a key derived from it. It is sent
beside the code, never in its place. The signed policy decides what a proof is worth:

  off      nothing looks at proofs
  observe  they are checked and reported in the events, and decide nothing
  accept   a proof that is there must be valid, and is good for one request; requests without one are let in as before
  require  no request without a valid proof of its own: any number of them fit into a period

Set it for the agent (init --signed, set --signed) or a peer (add-peer --signed, set NAME --signed). A peer without its own
follows the agent; set NAME --signed inherit lets it follow again. init --strict requires proofs from the start. The usual
pair is once with accept or require: beside reuse, accept stops no more than the same bytes sent twice.

From off to require, one step after the other:

  $ a2a-totp set --signed observe                then hand out the server file and the fragments
  $ a2a-totp doctor --events events.ndjson       are the proofs valid? If not: why?
  $ a2a-totp set --replay once --signed accept
  $ a2a-totp doctor --events events.ndjson       who signs every request?
  $ a2a-totp set alice --signed require

Update agents before the first accept: those of version 0.1 refuse a server file that says so. The steps back are the same
command with the policy before it, and from accept with --replay reuse: once without proofs is one request per period.
`,
  'mesh-file': `A mesh file, mesh.yaml, says which peers may call which agents. Each edge, one peer that may call one agent, gets a seed
and a token of its own; each agent has a store of its own.

  version: 1
  defaults:
    replay: once
    rotateAfter: 90d
    clientFile: clients/{name}.json
  agents:
    billing:
      url: https://billing.example
      signed: require
      serverFile: /srv/billing/a2a-totp.json
    crm:
      url: https://crm.example
      deliver: ssh crm.example 'umask 077; cat > new && mv new a2a-totp.json'
  peers:
    alice:
      calls: [billing, crm]
    bob:
      calls:
        - agent: billing
          signed: accept
          expires: 2027-01-01T00:00:00Z

  $ a2a-totp mesh init stores/*.json             write the file from stores that exist; or an example
  $ a2a-totp mesh plan                           what would change
  $ a2a-totp mesh apply                          creates, changes, rotates and delivers it
  $ a2a-totp mesh prove                          declared edges work, every other is refused
  $ a2a-totp mesh show --out mesh.svg            a picture

Of agents: url, store (default stores/NAME.json), serverFile, deliver, canaries, allowHosts, replay, signed, algorithm,
digits, period, window, header, overlap, rotateAfter. Of peers: calls, clientFile, deliver. Of peers and of their calls: replay,
signed, algorithm, digits, period, note, expires, overlap, rotateAfter. Of defaults: the policies, the codes, overlap,
rotateAfter, serverFile and clientFile, in which {name} is the name.

A call's own word counts first, then its peer's, then its agent's, then the defaults'. What the file does not say stays as
the store has it; replay: inherit and signed: inherit remove a peer's own policy. Paths are relative to the file's folder,
and commands of deliver run in it. The file holds no secret. It may be JSON, and YAML aliases and merged maps work.

The file is --file, else $A2A_TOTP_MESH, else the nearest mesh.yaml, mesh.yml or mesh.json upward, if it is yours and its
folders are writable only by you. Others may read it, but not write to it: it may name commands.
`,
  environment: `Variables that a2a-totp reads:

  A2A_TOTP_STORE        the store, without --store
  A2A_TOTP_MESH         the mesh file, without --file
  A2A_TOTP_SEED         for code, verify and probe without NAME; with A2A_TOTP_TOKEN, _AGENT, _URL, _ALGORITHM,
                        _DIGITS, _PERIOD, _HEADER and _WINDOW
  A2A_TOTP_SIGNED       the signed policy of the peer, which clients read (see help proofs)
  A2A_TOTP_IDENTITY     opens a store encrypted for recipients: an age identity, or a file with one
  A2A_TOTP_PASSPHRASE   opens a store encrypted with a passphrase
  A2A_TOTP_SERVER_FILE  the server file of the agent
  A2A_TOTP_REDIS_PASSWORD, A2A_TOTP_PROXY_PASSWORD  of gate --redis, and of probe --proxy
  HTTPS_PROXY, ALL_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS  for probe (see help probe)
  NO_COLOR, CI          no colours, spinners or countdowns; the same with TERM=dumb
  COLORFGBG             whether the terminal is light, for a QR code without colours
  LC_ALL, LC_CTYPE, LANG  where the first of them that is set is not UTF-8, only ASCII is drawn
  XDG_STATE_HOME        where mesh apply and rotate --resume remember what they may run; else ~/.local/state
  XDG_CACHE_HOME        where compiled code is cached, from Node 22.1 on; else ~/.cache
`,
  'exit-codes': `Exit codes:

    0  success
    1  the answer is no: an invalid code, a failed check, a serious finding, an unknown peer, something that exists
    2  wrong usage
    3  a store, file or configuration cannot be used or written
    4  the agent cannot be reached
  126  the command of exec cannot be run; 127 it was not found; otherwise exec ends with the command's exit code
   70  a bug
  130  interrupted; 143 terminated

In 2, 3 and 70 stdout stays empty. An error is one line on stderr that ends in a stable code, such as (ERR_PEER_UNKNOWN).
`,
}
