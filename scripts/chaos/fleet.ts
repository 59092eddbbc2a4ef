import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { startBookNode, type BookNode, type Line } from '../../test/support/book-node.ts'

/** What a node stated and said is safe. */
export interface Statement { readonly id: string, readonly account: string, readonly slot: number, readonly seq: number }

/** Nodes by number, each with a folder and a port that outlive its process. */
export interface Fleet {
  readonly size: number
  /** The process of a node; undefined while it is down. */
  node: (number: number) => BookNode | undefined
  start: (number: number) => Promise<void>
  /** SIGKILL. */
  kill: (number: number) => Promise<void>
  /** Cuts every connection between one side and the rest, and keeps it so through restarts, until `heal`. */
  part: (side: readonly number[]) => Promise<void>
  heal: () => Promise<void>
  /** Resolves to the answer, or to undefined when the node is down or dies over it. */
  tell: (number: number, command: string) => Promise<Line | undefined>
  stop: () => Promise<void>
}

/** Nodes that everybody knows and comes back to, as the bootstrap nodes of a network are. */
const BOOTSTRAP_NODES = 3
/** Below the ports that systems hand out, so that a node's own is still free when it comes back. */
const FIRST_PORT = 20_000
const LAST_PORT = 30_000
const START_TRIES = 3

export async function createFleet (options: { root: string, size: number }): Promise<Fleet> {
  const { root, size } = options
  const running = new Map<number, BookNode>()
  const peerIds = new Map<number, string>()
  const ports: number[] = []
  let side: ReadonlySet<number> | undefined
  let at = FIRST_PORT + process.pid * 37 % (LAST_PORT - FIRST_PORT - 1000)
  while (ports.length < size) {
    if (await isFree(++at)) ports.push(at)
  }
  const bootstrap: string[] = []

  const isAcross = (a: number, b: number): boolean => side !== undefined && side.has(a) !== side.has(b)
  const tell: Fleet['tell'] = async (number, command) => {
    const node = running.get(number)
    try {
      return await node?.ask(command)
    } catch (error) {
      // A node that was killed over it says nothing; one that lives and refuses is a fault.
      if (running.get(number) === node) throw error
      return undefined
    }
  }
  const deny = async (number: number): Promise<void> => {
    const across = [...peerIds].flatMap(([other, peerId]) => isAcross(number, other) ? [peerId] : [])
    await tell(number, `deny ${across.join()}`)
  }
  const start = async (number: number): Promise<void> => {
    const port = ports[number] as number
    for (let left = START_TRIES; ; left--) {
      try {
        const node = await startBookNode(join(root, String(number)), number + 1, { listen: [`/ip4/127.0.0.1/tcp/${port}`], bootstrap: [...bootstrap] })
        running.set(number, node)
        peerIds.set(number, node.peerId)
        if (number < BOOTSTRAP_NODES && !bootstrap.includes(node.address)) bootstrap.push(node.address)
        break
      } catch (error) {
        if (left === 1) throw error
      }
    }
    if (side !== undefined) await deny(number)
  }
  return {
    size,
    node: (number) => running.get(number),
    start,
    kill: async (number) => {
      const node = running.get(number)
      running.delete(number)
      await node?.kill('SIGKILL')
    },
    part: async (numbers) => {
      side = new Set(numbers)
      await Promise.all([...running.keys()].map(deny))
    },
    heal: async () => {
      side = undefined
      await Promise.all([...running.keys()].map(deny))
    },
    tell,
    stop: async () => { await Promise.all([...running.values()].map(async (node) => { await node.kill('SIGKILL') })) }
  }
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
