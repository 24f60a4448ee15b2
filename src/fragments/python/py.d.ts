/** Python files are imported as their text: by esbuild in the CLI, by a plugin in the tests. */
declare module '*.py' {
  const text: string
  export default text
}
