/** Files in other languages are imported as text: by esbuild in the CLI, by a plugin in the tests. */
declare module '*.py' {
  const text: string
  export default text
}

/** TypeScript that fragments contain. The extension keeps compilers and linters from treating it as ours. */
declare module '*.text' {
  const text: string
  export default text
}
