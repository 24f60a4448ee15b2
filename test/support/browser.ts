import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const names = [process.env['CHROMIUM'] ?? '', 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean)

/** The Chromium of this machine, as `$CHROMIUM` or by its usual names; undefined if there is none. */
export const chromium = names.find((name) => spawnSync(name, ['--version']).status === 0)

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** A page in a real browser, driven by the Chrome DevTools Protocol over a pipe. */
export class Browser {
  /** What the page wrote to the console as a warning or an error, and what it could not load. */
  readonly complaints: string[] = []
  readonly #waiting = new Map<number, (message: Message) => void>()
  readonly #events: ((message: Message) => void)[] = []
  #lastId = 0
  #session: string | undefined

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    let rest = ''
    const answers = child.stdio[4] as Readable
    answers.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\0')
      rest = parts.pop() ?? ''
      for (const part of parts) this.#take(JSON.parse(part) as Message)
    })
  }

  /** @param flags more of Chromium's */
  static async start(flags: readonly string[] = []): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'a2a-totp-browser-'))
    const args = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
      ...flags,
      'about:blank',
    ]
    const child = spawn(chromium ?? '', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    const browser = new Browser(child, folder)
    const { targetId } = await browser.call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.call('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = String(sessionId)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.call(`${domain}.enable`)
    return browser
  }

  /** Opens a page and waits until it is loaded. */
  async open(url: string): Promise<void> {
    const loaded = this.#event('Page.loadEventFired')
    await this.call('Page.navigate', { url })
    await loaded
  }

  /** Sets the size of the window, the mode that the reader prefers, and whether the page is to be printed. */
  async show(width: number, scheme: 'light' | 'dark', media: 'screen' | 'print' = 'screen'): Promise<void> {
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false }
    await this.call('Emulation.setDeviceMetricsOverride', size)
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.call('Emulation.setEmulatedMedia', { media, features })
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result } = await this.call('Runtime.evaluate', { expression, returnByValue: true })
    return (result as { readonly value: T }).value
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.call('Page.captureScreenshot', { captureBeyondViewport: true })
    return Buffer.from(String(data), 'base64')
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.call('Page.printToPDF', { printBackground: false })
    return Buffer.from(String(data), 'base64')
  }

  async close(): Promise<void> {
    const gone = once(this.child, 'exit')
    this.#session = undefined
    await Promise.all([gone, this.call('Browser.close')])
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async call(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve))
    const sessionId = this.#session
    const message = { id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }
    const commands = this.child.stdio[3] as Writable
    commands.write(`${JSON.stringify(message)}\0`)
    const { result = {}, error } = await answered
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }

  #event(method: string): Promise<Message> {
    return new Promise((resolve) =>
      this.#events.push((message) => {
        if (message.method === method) resolve(message)
      }),
    )
  }

  #take(message: Message): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message)
    const { method = '', params = {} } = message
    const isComplaint =
      method === 'Runtime.exceptionThrown' ||
      method === 'Network.loadingFailed' ||
      (method === 'Runtime.consoleAPICalled' && /error|warning/.test(String(params['type']))) ||
      (method === 'Log.entryAdded' && /error|warning/.test(JSON.stringify(params)))
    if (isComplaint) this.complaints.push(`${method} ${JSON.stringify(params)}`)
    for (const hear of this.#events) hear(message)
  }
}
