import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Everything by which a page makes its browser send a request. Each is a function body with the URL in `url`. */
const means: Readonly<Record<string, string>> = {
  img: 'new Image().src = url',
  script: 'add("script", { src: url })',
  style: 'add("link", { rel: "stylesheet", href: url })',
  frame: 'add("iframe", { src: url })',
  object: 'add("object", { data: url, type: "text/html" })',
  video: 'add("video", { src: url, autoplay: true })',
  form: 'form(url, "POST", "application/x-www-form-urlencoded")',
  text: 'form(url, "POST", "text/plain")',
  query: 'form(url, "GET", "application/x-www-form-urlencoded")',
  beacon: 'navigator.sendBeacon(url, "{}")',
  fetch: 'fetch(url).catch(() => 0)',
  blind: 'fetch(url, { method: "POST", mode: "no-cors", body: "{}" }).catch(() => 0)',
  json: 'fetch(url, { method: "POST", headers: { "Content-Type": "application/json", "X-TOTP": "1" }, body: "{}" }).catch(() => 0)',
  alive:
    'fetch(url, { method: "POST", mode: "no-cors", keepalive: true, referrerPolicy: "no-referrer" }).catch(() => 0)',
  xhr: 'const x = new XMLHttpRequest(); x.open("POST", url); x.onerror = () => 0; x.send("{}")',
  events: 'new EventSource(url)',
  socket: 'new WebSocket(url.replace("http", "ws"))',
}

export const meansOfPages: readonly string[] = Object.keys(means)

/** A page that tries everything at each of those URLs, which get the name of the means as last segment. */
export function attackPage(urls: readonly string[]): string {
  const tries = Object.entries(means).map(
    ([name, body]) => `attempt(${JSON.stringify(name)}, (url) => { ${body} })`,
  )
  return `<!doctype html><title>page</title><body><script>
    const add = (tag, given) => document.body.append(Object.assign(document.createElement(tag), given))
    let frames = 0
    const form = (url, method, enctype) => {
      const name = 'frame' + frames++
      add('iframe', { name })
      const form = Object.assign(document.createElement('form'), { action: url, method, enctype, target: name })
      form.append(Object.assign(document.createElement('input'), { name: 'a', value: 'b' }))
      document.body.append(form)
      form.submit()
    }
    const attempt = (name, go) => {
      for (const url of ${JSON.stringify(urls)}) try { go(url + '/' + name) } catch {}
    }
    ${tries.join('\n')}
  </script>`
}

/**
 * What a name is that is rebound: at 127.0.0.2, and the same port, it serves its page; and every other request arrives
 * byte for byte at 127.0.0.1.
 */
export async function rebound(port: number, page: string): Promise<void> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined)
  }
  const server = createServer((socket) => {
    keep(socket).once('data', (first: Buffer) => {
      if (first.toString('latin1').startsWith('GET /page ')) {
        const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n`
        socket.end(`${head}Content-Length: ${Buffer.byteLength(page)}\r\n\r\n${page}`)
        return
      }
      const onward = keep(connect(port, '127.0.0.1'))
      onward.write(first)
      socket.pipe(onward).pipe(socket)
    })
  })
  server.listen(port, '127.0.0.2')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
}
