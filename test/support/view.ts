import { once } from 'node:events'
import { WebSocket, type ClientOptions } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { NodeFacade } from '../../src/api/facade.ts'
import { createApiServer } from '../../src/api/server.ts'
import { createViewEndpoint } from '../../src/api/view/endpoint.ts'
import type { ViewOptions } from '../../src/api/view/options.ts'
import { createBookReplica, type BookReplica } from '../../src/book/replica.ts'
import { createManualClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSeededRandom } from '../../src/core/random.ts'
import type { Ranked } from '../../src/match/ranking.ts'
import type { AuctionDecision } from '../../src/roles/decision.ts'
import { createMemoryDatastore } from './memory-datastore.ts'
import { createMemoryNetwork } from './memory-mesh.ts'
import { DOMAIN, T0 } from './records.ts'

type Test = { teardown: (stop: () => unknown) => void }

/** A real API server over a real book, with a clock that the test moves and auctions that it decides. */
export interface TestView {
  readonly replica: BookReplica
  readonly clock: ReturnType<typeof createManualClock>
  readonly url: string
  readonly token: string
  /** Writes what waits into the document. */
  flush: () => void
  decide: (epoch: number, ranking: Array<Partial<Ranked>>) => void
  /** Auction listeners: one while a document is there. */
  listeners: () => number
  stop: () => Promise<void>
}

/** No signs of life unless the test asks for them: its clock may jump an hour, in which nobody could answer a ping. */
export async function openTestView (t: Test, options: Partial<ViewOptions> = {}, facade: Partial<NodeFacade> = {}): Promise<TestView> {
  const clock = createManualClock(T0)
  const random = createSeededRandom(1)
  const replica = createBookReplica({ mesh: createMemoryNetwork(random).node('a'), datastore: createMemoryDatastore(), clock, logger: silentLogger, domain: DOMAIN, random }, { secret: new Uint8Array(32) })
  await replica.start()
  t.teardown(replica.stop)
  const decisions = new Map<number, AuctionDecision>()
  const listeners = new Set<(decision: AuctionDecision) => void>()
  const auction = {
    currentEpoch: () => Math.max(0, ...decisions.keys()),
    decision: (epoch: number) => decisions.get(epoch),
    onDecided: (listener: (decision: AuctionDecision) => void) => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
  const view = createViewEndpoint({ replica, auction, clock, random }, { beatMs: 86_400_000, ...options })
  const token = 'a token'
  const server = createApiServer({ networks: new Map([['test', { facade: facade as NodeFacade, view }]]), logger: silentLogger }, { port: 0, token })
  await server.start()
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => await (stopped ??= server.stop())
  t.teardown(stop)
  return {
    replica, clock, url: server.url(), token, stop,
    flush: () => { clock.advance(options.flushMs ?? 50) },
    listeners: () => listeners.size,
    decide: (epoch, ranking) => {
      const decision: AuctionDecision = { epoch, ranking: ranking as Ranked[], pairingsOf: () => [], feeOf: () => 0 }
      decisions.set(epoch, decision)
      for (const listener of listeners) listener(decision)
    }
  }
}

/** A stock y-websocket client in one room. */
export function stockClient (t: Test, view: TestView, room: string): { doc: Y.Doc, provider: WebsocketProvider } {
  const doc = new Y.Doc()
  // Without the channel between tabs, which would join clients of one process behind the server's back.
  const provider = new WebsocketProvider(`${view.url.replace('http', 'ws')}/v1/view`, room, doc, { params: { token: view.token }, disableBc: true })
  t.teardown(() => { provider.destroy(); doc.destroy() })
  return { doc, provider }
}

/** A stock client that goes from room to room as README.md shows. */
export interface Follower { rooms: string[], doc: () => Y.Doc, provider: () => WebsocketProvider, leave: () => void }
export function followAsStock (t: Test, view: TestView): Follower {
  const rooms: string[] = []
  let current: ReturnType<typeof stockClient> | undefined
  const follow = (room: string): void => {
    const client = stockClient(t, view, room)
    current = client
    client.provider.on('sync', (isSynced) => { if (isSynced) rooms.push(room) })
    client.provider.on('closed', ({ code, reason }) => {
      client.provider.destroy()
      client.doc.destroy()
      if (code === 4410) follow(reason)
    })
  }
  follow('current')
  const now = (): ReturnType<typeof stockClient> => current as ReturnType<typeof stockClient>
  return { rooms, doc: () => now().doc, provider: () => now().provider, leave: () => { now().provider.destroy() } }
}

/** The keys' values of one of a document's maps. */
export function valuesOf<T = { id: string }> (doc: Y.Doc, map: string): T[] {
  return [...doc.getMap<T>(map).values()]
}

/** A bare WebSocket in a room, open. */
export async function openSocket (t: Test, view: TestView, room: string, options: ClientOptions = {}): Promise<WebSocket> {
  const socket = new WebSocket(`${view.url.replace('http', 'ws')}/v1/view/${room}?token=${encodeURIComponent(view.token)}`, options)
  t.teardown(() => { socket.terminate() })
  await once(socket, 'open')
  return socket
}

/** How a socket ends. */
export async function closeOf (socket: WebSocket): Promise<{ code: number, reason: string }> {
  const [code, reason] = await once(socket, 'close') as [number, Buffer]
  return { code, reason: reason.toString() }
}

/** The name of the present room, as every reader learns it. */
export async function presentRoom (t: Test, view: TestView): Promise<string> {
  return (await closeOf(await openSocket(t, view, 'current'))).reason
}
