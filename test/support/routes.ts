/** What Express keeps of a router, as far as its routes go. */
interface Router {
  readonly stack?: readonly {
    readonly route?: {
      readonly path: string | RegExp
      readonly stack: readonly { readonly method: string }[]
    }
    readonly handle: Router
  }[]
}

export interface Route {
  readonly method: string
  /** With something in place of each parameter. */
  readonly path: string
}

/** Every route of a handler that the SDK made, found where Express keeps them, below where it is mounted. */
export function routesOf(handler: object, prefix: string): Route[] {
  const { stack = [] } = handler as Router
  return stack.flatMap(({ route, handle }) => {
    if (!route) return routesOf(handle, prefix)
    const path = String(route.path)
      .replace(/(?<!\\)[*:]\w+/g, 'x')
      .replace(/\\/g, '')
    return route.stack.map(({ method }) => ({ method: method.toUpperCase(), path: prefix + path }))
  })
}
