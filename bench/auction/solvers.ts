import { join } from 'node:path'
import { wait } from '../../src/cli/devnet/processes.ts'
import { NODE_FLAGS } from '../../test/support/node-flags.ts'
import type { AuctionRules, MatchRules } from '../../src/match/options.ts'
import type { Child, Children } from '../child.ts'
import { packRecords } from '../offers.ts'
import type { StartSpec } from '../auction-node.ts'
import type { Ground } from './ground.ts'
import { keyOf } from './records.ts'

const MESH_MS = 120_000
/** Records that are handed over at once. */
const BATCH = 500

/** Solver processes that all know each other, on a chain where they have bonds. */
export interface Solvers {
  readonly children: readonly Child[]
  /** Gives records to one of them to publish. */
  publish: (records: readonly Uint8Array[]) => Promise<void>
  /** Every book holds so many offers and jobs. */
  untilLive: (count: number) => Promise<void>
}

export async function startSolvers (
  parts: { children: Children, ground: Ground, root: string },
  options: { seed: number, engines: readonly string[], auction: AuctionRules, match: MatchRules, profile?: string }
): Promise<Solvers> {
  const { ground, root } = parts
  const keys = options.engines.map((_, at) => keyOf(options.seed, `solver-${at}`))
  await ground.bond(keys.map(({ signer }) => signer), options.auction.minSolverBond * 2)
  const children: Child[] = []
  const addresses: string[] = []
  for (const [at, engine] of options.engines.entries()) {
    const child = await parts.children.start('./auction-node.ts', { flags: NODE_FLAGS, ...(at === 0 && options.profile !== undefined ? { profile: options.profile } : {}) })
    const spec: StartSpec = { folder: join(root, `solver-${at}`), key: keys[at]?.key as StartSpec['key'], rpcUrl: ground.rpcUrl, deployment: ground.deployment, auction: options.auction, match: options.match, engine }
    addresses.push(await child.ask<string>('start', spec))
    children.push(child)
    await child.ask('connect', addresses.slice(0, -1))
  }
  const all = async (is: () => Promise<readonly boolean[]>, what: string): Promise<void> => {
    for (const until = Date.now() + MESH_MS; !(await is()).every(Boolean); await wait(200)) if (Date.now() > until) throw new Error(what)
  }
  await all(async () => await Promise.all(children.map(async (child) => await child.ask<number>('meshPeers') >= Math.min(4, children.length - 1))), 'the gossip mesh does not form')
  return {
    children,
    publish: async (records) => {
      for (let at = 0; at < records.length; at += BATCH) await children[0]?.ask('publish', packRecords(records.slice(at, at + BATCH)))
    },
    untilLive: async (count) => { await all(async () => await Promise.all(children.map(async (child) => await child.ask<number>('live') >= count)), 'the books do not fill') }
  }
}
