import { TOTPError } from '../core/errors.js'
import type { Fragment, ServerInput } from './fragment.js'

/** What a unit file takes as it is, but for the percent sign, which begins a specifier (systemd.unit(5)). */
const plainPath = /^\/[A-Za-z0-9_./@%+,=-]*$/

/** A drop-in that hands the server file to the agent's service as a credential (systemd.exec(5)). */
export const serverSystemd: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'a systemd drop-in that loads the server file as a credential',
  secret: false,
  make: ({ roster, serverFile = `/etc/a2a-totp/${roster.agent}.json` }) => {
    if (!plainPath.test(serverFile)) {
      throw new TOTPError(
        'ERR_CONFIG_INVALID',
        'systemd needs an absolute path of letters, digits and _./@%+,=- for the server file; give one with --server-file',
      )
    }
    return `\
# The server file of agent "${roster.agent}" for its service. Made by \`a2a-totp config server --format systemd\`.
# Nothing in here is secret; the file that it names is. Write it as root, mode 0600:
#   a2a-totp config server --format json --out ${serverFile}
# Save this as /etc/systemd/system/SERVICE.service.d/a2a-totp.conf, then: systemctl daemon-reload
# systemd (250 or newer) copies the file at the start: after a change run \`systemctl restart SERVICE\`.
[Service]
LoadCredential=a2a-totp-server.json:${serverFile.replaceAll('%', '%%')}
Environment=A2A_TOTP_SERVER_FILE=%d/a2a-totp-server.json
`
  },
}
