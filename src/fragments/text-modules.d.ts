/** Files in other languages are imported as their text: by esbuild in the CLI, by a plugin in the tests. */
declare module '*.py' {
  const text: string
  export default text
}

/** TypeScript that is emitted, under a name that no compiler or linter takes for a part of this project. */
declare module '*.text' {
  const text: string
  export default text
}
