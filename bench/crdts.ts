import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wait } from '../src/cli/devnet/processes.ts'
import { NODE_FLAGS } from '../test/support/node-flags.ts'
import { createChildren, type Child } from './child.ts'
import { machineMs } from './commands.ts'
import { atMostTimes, reported, type Bench } from './figure.ts'
import { digestOf, signOffers } from './offers.ts'

/** One signed offer and the number of its author. */
export interface Offer { author: number, bytes: Uint8Array }

const OFFERS = 10_000
const AUTHORS = 100
const NODES = 3
const SHARE_OF_ORBITDB = 0.1
const READY_TIMEOUT_MS = 60_000
/** Longest that one of the three may take. */
const CONVERGE_TIMEOUT_MS = 15 * 60_000

interface Contender { name: string, script: string, /** Whether one node must create what the others open. */ isOpened: boolean }
const OURS: Contender = { name: 'lilynode', script: './crdt-node.ts', isOpened: false }
const YJS: Contender = { name: 'Yjs', script: './baselines/yjs-node.ts', isOpened: false }
const ORBITDB: Contender = { name: 'OrbitDB', script: './baselines/orbitdb-node.ts', isOpened: true }

/** The same offers on three connected nodes, a third of the authors at each: from the first write until all three hold all. */
export const benchCrdts: Bench = async ({ seed, sizes, progress, profile }) => {
  const count = sizes.records ?? OFFERS
  const root = await mkdtemp(join(tmpdir(), 'lilynode-bench-'))
  const children = createChildren(root)
  try {
    const records = await signOffers({ count, authors: AUTHORS, seed, nowMs: Date.now() })
    const offers = records.map((bytes, index): Offer => ({ author: index % AUTHORS, bytes }))
    const digest = digestOf(records)

    const measure = async (contender: Contender): Promise<number> => {
      const nodes = await Promise.all(Array.from({ length: NODES }, async (_, index) => {
        const folder = join(root, `${contender.name}-${index}`)
        await mkdir(folder)
        const child = await children.start(contender.script, { flags: NODE_FLAGS, ...(index === 0 && profile !== undefined ? { profile } : {}) })
        return { child, folder, address: await child.ask<string>('start', folder) }
      }))
      const addresses = nodes.map(({ address }) => address)
      for (const [index, { child }] of nodes.entries()) await child.ask('connect', addresses.slice(0, index))
      if (contender.isOpened) await openEverywhere(nodes)
      await untilReady(nodes.map(({ child }) => child))
      const all = nodes.map(async ({ child }) => await child.ask<number>('whenAll', count))
      const startMs = machineMs()
      const puts = nodes.map(async ({ child }, index) => { await child.ask('put', offers.filter(({ author }) => author % NODES === index)) })
      const late = setTimeout(() => { for (const { child } of nodes) process.kill(child.pid, 'SIGKILL') }, CONVERGE_TIMEOUT_MS)
      const [, times] = await Promise.all([Promise.all(puts), Promise.all(all)])
      clearTimeout(late)
      for (const { child } of nodes) {
        if (await child.ask<string>('digest') !== digest) throw new Error(`${contender.name}: a node holds other offers than were made`)
      }
      await children.stop()
      const seconds = (Math.max(...times) - startMs) / 1000
      progress(`${contender.name}: ${seconds.toFixed(1)} s`)
      return seconds
    }
    const ours = await measure(OURS)
    const yjs = await measure(YJS)
    const orbitdb = await measure(ORBITDB)
    const what = `${count} offers of ${AUTHORS} authors on ${NODES} nodes`
    return [
      atMostTimes(`${what}, until all hold all`, ours, SHARE_OF_ORBITDB, 's', { name: 'OrbitDB, this run', value: orbitdb }),
      reported('the same beside one shared Y.Doc, which verifies and stores nothing', ours, 's', { name: 'Yjs, this run', value: yjs })
    ]
  } finally {
    await children.stop()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function openEverywhere (nodes: ReadonlyArray<{ child: Child, folder: string }>): Promise<void> {
  let address: string | undefined
  for (const { child, folder } of nodes) address = await child.ask<string>('open', { folder, ...(address === undefined ? {} : { address }) })
}

async function untilReady (peers: readonly Child[]): Promise<void> {
  const until = machineMs() + READY_TIMEOUT_MS
  for (;;) {
    const ready = await Promise.all(peers.map(async (peer) => await peer.ask<boolean>('isReady', NODES - 1)))
    if (ready.every(Boolean)) return
    if (machineMs() > until) throw new Error('the nodes did not all find each other')
    await wait(100)
  }
}
