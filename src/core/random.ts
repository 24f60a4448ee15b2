/** A source of randomness: as many bytes as asked for, from the operating system unless a test says otherwise. */
export type RandomBytes = (size: number) => Uint8Array
