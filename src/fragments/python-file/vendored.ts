import type { PythonFile } from './file.js'

/** The guards, and what can be given to them: states and first factors. */
const server = String.raw`(scheme|state|asgi|proof)(\..*)?|grpc\.guard|a2a\.context_builder`

/** What `--vendored` puts into one file. */
export const vendoredFiles = {
  pythonServer: {
    about: `Second factor for an A2A agent: a bearer token AND a fresh TOTP code on every request.

Made by \`a2a-totp config server --format python --vendored\` from the Python package a2a-totp, where that cannot be
installed. Save it as \`a2a_totp_server.py\` beside the agent. It contains no secret: those are in the server file, which
it reads at \`$A2A_TOTP_SERVER_FILE\`, and again when it changes (\`a2a-totp config server --out FILE\` writes it).

    scheme = TOTPServerAuthScheme.from_file()
    app = TOTPMiddleware(app, scheme)                         # JSON-RPC and REST: Starlette, FastAPI, any ASGI app
    grpc.aio.server(interceptors=[totp_interceptor(scheme)])  # gRPC
    context_builder = TOTPCallContextBuilder()                # optional: it demands that a guard let the request pass

For a2a-sdk 0.3 and 1.x, Python 3.10 and up. Guesses, used codes and nonces are counted in this process: run one
worker, or share a state.`,
    modules: new RegExp(`^(${server})$`),
  },
  pythonClient: {
    about: `Second factor for an A2A client: sends the bearer token and a fresh TOTP code with every request.

Made by \`a2a-totp config client NAME --format python --vendored\` from the Python package a2a-totp, where that cannot be
installed. Save it as \`a2a_totp_client.py\`. It contains no secret: token and seed come from the environment, as
\`a2a-totp config client NAME --format env\` prints them.

    credentials = TotpCredentials.from_env()
    http = httpx.AsyncClient(auth=TOTPAuth(credentials))  # JSON-RPC, REST and the agent card
    ClientFactory(config).create(card, interceptors=[TOTPInterceptor(credentials)])  # or this; a2a-sdk 1.x: gRPC too

TOTPAuth is the better one for HTTP: it sees where a request goes, and signs it where \`$A2A_TOTP_AGENT\` is known.
For a2a-sdk 0.3 and 1.x, Python 3.10 and up.`,
    modules: /^(credentials|client|httpx\.auth|a2a\.interceptor|grpc\.client(_sync)?)$/,
  },
  crewaiServer: {
    about: `Second factor for an agent that hosts crewAI: a bearer token AND a fresh TOTP code on every request.

Made by \`a2a-totp config server --format crewai --vendored\` from the Python package a2a-totp, where that cannot be
installed. Save it as \`a2a_totp_server.py\` beside the agent. It contains no secret: those are in the server file, which
it reads at \`$A2A_TOTP_SERVER_FILE\`, and again when it changes (\`a2a-totp config server --out FILE\` writes it).

    authenticator = TOTPCommonAuthScheme.from_file()
    config = A2AServerConfig(auth=TOTPServerAuthScheme(authenticator=authenticator))
    app = TOTPMiddleware(app, authenticator)  # this protects the agent: crewAI does not call the scheme

For crewAI with its extra a2a, Python 3.10 and up. Guesses, used codes and nonces are counted in this process: run one
worker, or share a state.`,
    modules: new RegExp(`^(${server}|crewai\\.server)$`),
    renames: { TOTPServerAuthScheme: 'TOTPCommonAuthScheme', ServerAuthScheme: 'TokenCheckScheme' },
  },
  crewaiClient: {
    about: `Second factor for crewAI as an A2A client: a fresh TOTP code with every request, in polls and streams too.

Made by \`a2a-totp config client NAME --format crewai --vendored\` from the Python package a2a-totp, where that cannot be
installed. Save it as \`a2a_totp_crewai_client.py\`. It contains no secret: token and seed come from the environment, as
\`a2a-totp config client NAME --format env\` prints them.

    agent = Agent(..., a2a=A2AClientConfig(endpoint=card_url, auth=TOTPClientAuthScheme()))

Works over JSON-RPC and REST; crewAI's gRPC transport sends a bearer token only. For crewAI with its extra a2a,
Python 3.10 and up.`,
    modules: /^crewai\.client$/,
  },
} satisfies Record<string, PythonFile>
