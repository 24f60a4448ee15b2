declare module 'qrcode-terminal/vendor/QRCode/index.js' {
  /** The encoder behind qrcode-terminal: a matrix of modules, before anything is drawn. */
  export default class QRCode {
    constructor(typeNumber: number, errorCorrectLevel: number)
    addData(text: string): void
    make(): void
    getModuleCount(): number
    isDark(row: number, column: number): boolean
  }
}

declare module 'qrcode-terminal/vendor/QRCode/QRErrorCorrectLevel.js' {
  const levels: { readonly L: number; readonly M: number; readonly Q: number; readonly H: number }
  export default levels
}
