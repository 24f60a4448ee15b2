/** Returns `size` random bytes. Pass a cryptographically secure source, such as `randomBytes` of node:crypto. */
export type RandomBytes = (size: number) => Uint8Array
