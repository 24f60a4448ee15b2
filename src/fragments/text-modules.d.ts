/** Files in other languages are imported as text: by esbuild in the CLI, by a plugin in the tests. */
declare module '*.text' {
  const text: string
  export default text
}

/** The modules of the Python package by their paths in it: scripts/python-package.mjs. */
declare module 'a2a-totp:python-package' {
  const sources: Readonly<Record<string, string>>
  export default sources
}
