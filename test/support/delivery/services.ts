import { mockService, type MockService } from './mock.js'
import { SealedBoxKeys } from './sealed-box.js'

export interface MockPlace extends MockService {
  /** What was delivered last, as the peer would get it. */
  readonly delivered: () => string
}

/** Variables as lines, in the order of their names. */
const linesOf = (variables: ReadonlyMap<string, string>): string =>
  [...variables]
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('\n')

/** The secrets of an environment, of the repository acme/billing alone. */
export async function mockGitHub(): Promise<MockPlace> {
  const keys = new SealedBoxKeys()
  const secrets = new Map<string, string>()
  const folder = '/repos/acme/billing/environments/production/secrets/'
  const service = await mockService(({ method, path, body, authorization }) => {
    if (authorization !== 'token t' || !path.startsWith(folder)) return undefined
    const name = path.slice(folder.length)
    if (name === 'public-key')
      return [200, { key_id: '1', key: Buffer.from(keys.publicKey).toString('base64') }]
    if (method !== 'PUT') return undefined
    const known = secrets.has(name)
    const { encrypted_value: sealed } = JSON.parse(body) as { encrypted_value: string }
    secrets.set(name, keys.open(Buffer.from(sealed, 'base64')))
    return known ? [204] : [201]
  })
  return { ...service, delivered: () => linesOf(secrets) }
}

/** The variables of a project of GitLab. */
export async function mockGitLab(): Promise<MockPlace> {
  const values = new Map<string, string>()
  const folder = '/api/v4/projects/7/variables'
  const service = await mockService(({ method, path, body }, { headers }) => {
    if (headers['private-token'] !== 't' || !path.startsWith(folder)) return undefined
    const fields = new URLSearchParams(body)
    const value = fields.get('value') ?? ''
    const key = path.slice(folder.length + 1) || (fields.get('key') ?? '')
    const known = values.has(key)
    if (method === 'GET') return known ? [200, { key, value: values.get(key) }] : undefined
    if ((method === 'PUT') !== known) return [400]
    // What GitLab demands of a masked value.
    if (fields.get('masked') !== 'true' || !/^[\w+/=@:.~-]{8,}$/.test(value)) return [400]
    values.set(key, value)
    return [known ? 200 : 201, { key, value }]
  })
  return { ...service, delivered: () => linesOf(values) }
}

/** Google's Secret Manager, with one project. */
export async function mockSecretManager(): Promise<MockPlace> {
  const versions: string[] = []
  let created = ''
  const service = await mockService(({ method, path, query, body, authorization }) => {
    const secret = (id: string): string => `/v1/projects/acme/secrets/${id}`
    if (authorization !== 'Bearer t') return [401]
    if (method === 'POST' && path === secret('').slice(0, -1)) {
      if (created) return [409]
      created = query.get('secretId') ?? ''
      return [200, { name: secret(created) }]
    }
    if (!created || !path.startsWith(secret(created))) return undefined
    const name = `${secret(created).slice(4)}/versions/${versions.length}`
    if (path.endsWith(':addVersion')) {
      const { payload } = JSON.parse(body) as { payload: { data: string; dataCrc32c: string } }
      versions.push(payload.data)
      return [200, { name, state: 'ENABLED', clientSpecifiedPayloadChecksum: true }]
    }
    if (path.endsWith('/versions/latest:access')) return [200, { name, payload: { data: versions.at(-1) } }]
    return [200, { name: secret(created) }]
  })
  return { ...service, delivered: () => Buffer.from(versions.at(-1) ?? '', 'base64').toString() }
}

/** An API server of Kubernetes that has Secrets, and takes them by server-side apply alone. */
export async function mockKubernetes(): Promise<MockPlace> {
  interface Secret {
    readonly data: Readonly<Record<string, string>>
  }
  const secrets = new Map<string, Secret>()
  const folder = '/api/v1/namespaces/default/secrets/'
  const kind = { group: '', version: 'v1', kind: 'Secret' }
  const patch = {
    parameters: [{ name: 'fieldValidation', in: 'query' }],
    'x-kubernetes-group-version-kind': kind,
  }
  const resource = { name: 'secrets', singularName: 'secret', namespaced: true, kind: 'Secret' }
  const documents: Readonly<Record<string, unknown>> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [{ ...resource, verbs: ['get', 'patch'] }],
    },
    '/openapi/v3': { paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=1' } } },
    '/openapi/v3/api/v1': {
      openapi: '3.0.0',
      info: { title: 'mock', version: '1' },
      paths: { [`${folder.replace('default', '{namespace}')}{name}`]: { patch } },
    },
  }
  const service = await mockService(({ method, path, body }, { headers }) => {
    if (path in documents) return [200, documents[path]]
    if (!path.startsWith(folder)) return undefined
    const name = path.slice(folder.length)
    if (method === 'PATCH' && headers['content-type'] === 'application/apply-patch+yaml')
      secrets.set(name, JSON.parse(body) as Secret)
    else if (method !== 'GET') return [405]
    const secret = secrets.get(name)
    return secret ? [200, secret] : [404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 }]
  })
  const delivered = (): string => {
    const data = Object.entries(secrets.get('a2a-totp-billing-alice')?.data ?? {})
    return linesOf(new Map(data.map(([name, value]) => [name, Buffer.from(value, 'base64').toString()])))
  }
  return { ...service, delivered }
}

/** The Engine API of a manager of docker swarm, with one service. */
export async function mockSwarm(): Promise<MockPlace> {
  interface SecretSpec {
    readonly Name: string
    readonly Data: string
  }
  interface ServiceSpec {
    readonly TaskTemplate: {
      readonly ContainerSpec: {
        readonly Image: string
        readonly Secrets?: { readonly SecretName: string; readonly File: { readonly Name: string } }[]
      }
    }
  }
  const secrets = new Map<string, string>()
  let spec: ServiceSpec & Record<string, unknown> = {
    Name: 'alice',
    Mode: { Replicated: { Replicas: 1 } },
    TaskTemplate: { ContainerSpec: { Image: 'alice' } },
  }
  const service = await mockService(({ method, path: full, body }) => {
    const path = full.replace(/^\/v[\d.]+/, '')
    if (path === '/_ping') return [200]
    if (path === '/secrets/create') {
      const { Name, Data } = JSON.parse(body) as SecretSpec
      if (secrets.has(Name)) return [409]
      secrets.set(Name, Data)
      return [201, { ID: `id-${Name}` }]
    }
    const inspected = /^\/secrets\/(.+)/.exec(path)?.[1]
    if (inspected !== undefined)
      return secrets.has(inspected)
        ? [200, { ID: `id-${inspected}`, Spec: { Name: inspected } }]
        : [404, { message: 'no such secret' }]
    if (path === '/secrets')
      return [200, [...secrets.keys()].map((Name) => ({ ID: `id-${Name}`, Spec: { Name } }))]
    if (path === '/services/alice') return [200, { ID: 'alice', Version: { Index: 1 }, Spec: spec }]
    if (path !== '/services/alice/update' || method !== 'POST') return undefined
    spec = JSON.parse(body) as typeof spec
    return [200]
  })
  const delivered = (): string => {
    const mounted = spec.TaskTemplate.ContainerSpec.Secrets ?? []
    if (mounted.length !== 1 || mounted[0]?.File.Name !== 'billing.env') return `${mounted.length} secrets`
    return Buffer.from(secrets.get(mounted[0].SecretName) ?? '', 'base64').toString()
  }
  return { ...service, delivered }
}
