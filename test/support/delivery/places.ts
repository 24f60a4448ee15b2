import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allVariables, tokenAndSeed, type Place } from './place.js'
import { addProgram, breakProgram, run, venv } from './programs.js'
import { ageIdentity, amazon, openBao, sshAccount, terraform } from './real-places.js'
import {
  mockGitHub,
  mockGitLab,
  mockKubernetes,
  mockSecretManager,
  mockSwarm,
  type MockPlace,
} from './services.js'

export interface Recipe {
  readonly programs: readonly string[]
  /** Whether `.ci/run` installs the programs, so that CI has to have them. */
  readonly inCi: boolean
  /** Whether its programs are so large, or so slow, that only `npm run test:stacks` runs it. */
  readonly large?: true
  /** Whether the named program cannot be had, so that a stand-in keeps what it is given, and returns it. */
  readonly standIn?: string
  /** Where the recipe reads back what it delivered: the program that writes, and an argument that it has only then. */
  readonly writes?: readonly [program: string, argument: string]
  /** Makes the place; `folder` is the working directory and HOME of the recipe. */
  readonly open: (folder: string) => Place | Promise<Place>
}

async function mocked(
  make: () => Promise<MockPlace>,
  rest: (url: string) => Omit<Place, 'delivered' | 'fail'>,
): Promise<Place> {
  const { url, delivered, fail } = await make()
  return { delivered, fail, ...rest(url) }
}

/** A program that keeps its input where `put` is an argument, and prints it where `get` is one. */
function standIn(folder: string, name: string, put: string, get: string): Place {
  const script = `
case " $* " in
  *" ${put} "*) cat >'${folder}/.kept' ;;
  *" ${get} "*) cat '${folder}/.kept' ;;
  *) exit 2 ;;
esac`
  addProgram(folder, name, script)
  return {
    delivered: () => readFileSync(join(folder, '.kept'), 'utf8'),
    fail: () => addProgram(folder, name, 'exit 3'),
  }
}

/** How each recipe is run. One table, longer than other files: a row is found by its name. */
export const places: Readonly<Record<string, Recipe>> = {
  ssh: { programs: ['ssh', 'sshd', 'ssh-keygen'], inCi: true, open: sshAccount },
  age: {
    programs: ['age', 'age-keygen'],
    inCi: true,
    open: (folder) => {
      const { recipient } = ageIdentity(folder)
      const file = 'billing-alice.env.age'
      return {
        env: { PEER_RECIPIENT: recipient },
        delivered: () => run('age', ['--decrypt', '--identity', 'key.txt', file], folder),
        fail: breakProgram(folder, 'age'),
      }
    },
  },
  systemd: {
    programs: ['systemd-creds'],
    inCi: true,
    writes: ['systemd-creds', 'encrypt'],
    open: (folder) => {
      const env = { CREDSTORE: folder, SYSTEMD_CREDENTIAL_SECRET: join(folder, 'secret') }
      const read = ['decrypt', '--name=billing.env', 'billing.env', '-']
      return {
        env,
        delivered: () => run('/usr/bin/systemd-creds', read, folder, env),
        fail: breakProgram(folder, 'systemd-creds'),
      }
    },
  },
  vault: { programs: ['bao'], inCi: false, writes: ['bao', 'put'], large: true, open: openBao },
  aws: {
    programs: ['aws', 'moto_server'],
    inCi: false,
    writes: ['aws', 'put-secret-value'],
    large: true,
    open: () =>
      amazon(
        'secretsmanager get-secret-value --secret-id a2a-totp/billing/alice --query SecretString'.split(' '),
      ),
  },
  ssm: {
    programs: ['aws', 'moto_server'],
    inCi: false,
    writes: ['aws', 'put-parameter'],
    large: true,
    open: () =>
      amazon(
        'ssm get-parameter --name /a2a-totp/billing/alice --with-decryption --query Parameter.Value'.split(
          ' ',
        ),
      ),
  },
  gcp: {
    programs: ['gcloud'],
    inCi: false,
    writes: ['gcloud', 'add'],
    large: true,
    open: (folder) => {
      writeFileSync(join(folder, 'login'), 't')
      return mocked(mockSecretManager, (url) => ({
        env: {
          CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${url}/`,
          CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(folder, 'login'),
          CLOUDSDK_CORE_PROJECT: 'acme',
          CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
        },
      }))
    },
  },
  kubernetes: {
    programs: ['kubectl'],
    inCi: false,
    writes: ['kubectl', 'apply'],
    open: (folder) =>
      mocked(mockKubernetes, (url) => {
        const config = {
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'mock',
          clusters: [{ name: 'mock', cluster: { server: url } }],
          contexts: [{ name: 'mock', context: { cluster: 'mock', user: 'mock' } }],
          users: [{ name: 'mock', user: {} }],
        }
        writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(config))
        return { env: { KUBECONFIG: join(folder, 'kubeconfig') }, expected: allVariables }
      }),
  },
  sops: {
    programs: ['sops', 'age-keygen'],
    inCi: false,
    large: true,
    open: (folder) => {
      const { key, recipient } = ageIdentity(folder)
      const read = ['decrypt', '--input-type', 'dotenv', '--output-type', 'dotenv', 'billing-alice.enc.env']
      return {
        env: { SOPS_AGE_RECIPIENTS: recipient },
        delivered: () => run(join(venv, 'sops'), read, folder, { SOPS_AGE_KEY_FILE: key }),
        fail: breakProgram(folder, 'sops'),
      }
    },
  },
  podman: {
    programs: ['podman'],
    inCi: false,
    large: true,
    open: (folder) => {
      const storage = `[storage]\ndriver = "vfs"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/graph"\n`
      writeFileSync(join(folder, 'storage.conf'), storage)
      return {
        env: { CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf') },
        delivered: () => {
          const kept = readFileSync(join(folder, 'graph/secrets/filedriver/secretsdata.json'), 'utf8')
          const values = Object.values(JSON.parse(kept) as Record<string, string>)
          return values.map((value) => Buffer.from(value, 'base64').toString()).join('and another one\n')
        },
        fail: breakProgram(folder, 'podman'),
      }
    },
  },
  docker: {
    programs: ['docker'],
    inCi: false,
    open: () =>
      mocked(mockSwarm, (url) => ({
        env: { DOCKER_HOST: url.replace('http', 'tcp'), SERVICE: 'alice' },
      })),
  },
  github: {
    programs: ['gh'],
    inCi: true,
    open: () =>
      mocked(mockGitHub, (url) => ({
        // gh speaks plain http to this host alone, which the proxy stands for.
        env: {
          GH_REPO: 'github.localhost/acme/billing',
          GH_ENVIRONMENT: 'production',
          GH_ENTERPRISE_TOKEN: 't',
          GH_TOKEN: 't',
          GH_HOST: 'github.localhost',
          HTTP_PROXY: url,
        },
        expected: tokenAndSeed,
      })),
  },
  gitlab: {
    programs: ['curl', 'jq'],
    inCi: true,
    writes: ['curl', '--request'],
    open: (folder) => {
      writeFileSync(join(folder, 'header'), 'PRIVATE-TOKEN: t\n', { mode: 0o600 })
      return mocked(mockGitLab, (url) => ({
        env: { GITLAB_API: `${url}/api/v4/projects/7`, GITLAB_HEADER_FILE: join(folder, 'header') },
        expected: tokenAndSeed,
      }))
    },
  },
  ansible: {
    programs: ['ansible-vault'],
    inCi: true,
    writes: ['ansible-vault', 'encrypt'],
    open: (folder) => {
      writeFileSync(join(folder, 'password'), 'correct horse\n', { mode: 0o600 })
      const env = { ANSIBLE_VAULT_PASSWORD_FILE: join(folder, 'password') }
      const read = ['decrypt', '--output', '-', 'billing-alice.env']
      return {
        env,
        delivered: () => run('ansible-vault', read, folder, env),
        fail: () => rmSync(join(folder, 'password')),
      }
    },
  },
  terraform: { programs: ['terraform'], inCi: false, open: terraform },
  azure: {
    programs: [],
    inCi: true,
    writes: ['az', 'set'],
    standIn: 'az',
    open: (folder) => ({ env: { AZURE_VAULT: 'acme' }, ...standIn(folder, 'az', 'set', 'show') }),
  },
  onepassword: {
    programs: [],
    inCi: true,
    writes: ['op', '-'],
    standIn: 'op',
    open: (folder) => {
      const place = standIn(folder, 'op', '-', 'get')
      return { env: { OP_VAULT: 'acme' }, ...place }
    },
  },
  sealed: {
    programs: ['kubectl'],
    inCi: false,
    standIn: 'kubeseal',
    open: (folder) => {
      // In another spelling, as sealing would: the folder is searched for secrets.
      addProgram(folder, 'kubeseal', 'base64')
      const delivered = (): string => {
        const sealed = readFileSync(join(folder, 'a2a-totp-billing-alice.yaml'), 'utf8')
        const { data } = JSON.parse(Buffer.from(sealed, 'base64').toString()) as {
          data: Record<string, string>
        }
        const value = (name: string): string => Buffer.from(data[name] ?? '', 'base64').toString()
        return Object.keys(data)
          .map((name) => `${name}=${value(name)}`)
          .sort()
          .join('\n')
      }
      return {
        env: { SEALING_CERT: 'cert.pem' },
        delivered,
        expected: allVariables,
        fail: breakProgram(folder, 'kubeseal'),
      }
    },
  },
}
