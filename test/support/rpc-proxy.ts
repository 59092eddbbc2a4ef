import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'

/** A JSON-RPC endpoint between a node and its chain that can be told to be silent or to lie. */
export interface RpcProxy {
  readonly url: string
  /** Requests seen, by method. */
  readonly asked: Map<string, number>
  /** Changes an answer's `result`; undefined leaves it. */
  lie: ((method: string, params: readonly unknown[], result: unknown) => unknown) | undefined
  /** `paused`: takes requests and never answers. `down`: breaks connections. */
  mode: 'up' | 'paused' | 'down'
  stop: () => Promise<void>
}

export async function startRpcProxy (target: string): Promise<RpcProxy> {
  const { hostname, port } = new URL(target)
  const proxy: RpcProxy = { url: '', asked: new Map(), lie: undefined, mode: 'up', stop: async () => undefined }
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await text(incoming)
      const { method, params } = JSON.parse(body) as { method: string, params: readonly unknown[] }
      proxy.asked.set(method, (proxy.asked.get(method) ?? 0) + 1)
      if (proxy.mode === 'paused') return
      if (proxy.mode === 'down') { incoming.socket.destroy(); return }
      const forward = httpRequest({ host: hostname, port, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } })
      forward.end(body)
      const [response] = await once(forward, 'response') as [NodeJS.ReadableStream]
      const answer = JSON.parse(await text(response)) as { result?: unknown, error?: unknown }
      const lied = proxy.lie?.(method, params, answer.result)
      outgoing.setHeader('content-type', 'application/json')
      outgoing.end(JSON.stringify(lied === undefined ? answer : { ...answer, error: undefined, result: lied }))
    })().catch(() => { outgoing.destroy() })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: async () => { server.closeAllConnections(); server.close(); await Promise.resolve() }
  })
}
