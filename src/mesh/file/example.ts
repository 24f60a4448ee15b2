/** The names in {@link exampleMesh}. */
export const exampleNames = { agents: ['billing'], peers: ['alice'] }

/** A mesh file to begin with: one agent and one peer, and what else can be said. It is valid as it is. */
export const exampleMesh = `# Who calls whom. Each agent has a store of its own, and each edge, one peer that may call one agent, a seed and a token
# of its own. Change the names and the URL, then run:
#
#   a2a-totp mesh plan    what would change
#   a2a-totp mesh apply   make the stores, seeds and tokens, and deliver them
#   a2a-totp mesh prove   show that every edge works, and that nothing else is let in
version: 1

# What applies where an agent, a peer or an edge says nothing else.
defaults:
  replay: once          # a code is good once; reuse: until its period ends
  signed: accept        # off, observe, accept or require: proofs that bind a code to its request
  # digits: 8
  # overlap: 24h        # how long old credentials stay valid beside new ones
  # rotateAfter: 90d    # mesh apply then rotates what is older

agents:
  billing:
    url: https://billing.example
    # store: stores/billing.json        # where its seeds and tokens are; this is the default
    # serverFile: out/billing.json      # where mesh apply writes what the agent needs, and
    # deliver: ./put-server-file        # a command that gets the same on standard input
    # canaries: [trap]                  # tokens that only an intruder uses

peers:
  alice:
    calls: [billing]
    # clientFile: out/alice.json        # where mesh apply writes what alice needs
    # deliver: ./put-client-file
    # expires: 2027-01-01T00:00:00Z
    # An edge may differ from the others:
    # calls:
    #   - billing
    #   - {agent: mail, replay: reuse, note: the nightly job}
`
