import { runPython } from './python.js'

const validate = `
import sys, yaml, kubernetes_validate as k
for document in yaml.safe_load_all(sys.stdin):
    k.validate(document, k.latest_version(), strict=True)
    print(document["kind"])`

/**
 * The kinds of objects in a manifest.
 *
 * @throws {Error} if one of them does not match the schema of Kubernetes
 */
export const kubernetesKinds = (input: string): string[] =>
  runPython('a2a-1', ['-c', validate], { input }).trim().split('\n')

/** Schemas that come with check-jsonschema: those of the compose specification and of GitHub's own workflows. */
const publishedSchemas = { compose: 'vendor.compose-spec', github: 'vendor.github-workflows' }
export type PublishedSchema = keyof typeof publishedSchemas

/**
 * What check-jsonschema says.
 *
 * @throws {Error} if the content does not match
 */
export function checkSchema(format: PublishedSchema, content: string): string {
  const schema = ['--default-filetype', 'yaml', '--builtin-schema', publishedSchemas[format]]
  return runPython('a2a-1', ['-m', 'check_jsonschema', ...schema, '-'], { input: content })
}
