import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createAnvilOwner } from './anvil-owner.ts'
import { reservePort, startAnvil, type Anvil } from './anvil.ts'
import { ChainError } from './errors.ts'
import { createMiner } from './miner.ts'
import { SUPERVISOR_TUNING, type SupervisorTuning } from './options.ts'
import { createSnapshots, type Snapshots } from './snapshots.ts'

/** The embedded chain of a devnet (protocol/devnet-chain.md): anvil, mined on demand, snapshotted, restarted when it dies. */
export interface Supervisor {
  readonly rpcUrl: string
  readonly port: number
  /** Process id of the anvil that runs now; undefined while it is being restarted. */
  anvilPid: () => number | undefined
  /** Writes a snapshot now. */
  save: () => Promise<void>
  /** Snapshots, ends anvil and waits for it. */
  stop: () => Promise<void>
}

export interface SupervisorComponents { clock: Clock, logger: Logger }
/** `port` 0 takes any free one and keeps it over restarts. `dataPath` is this chain's own folder. */
export interface SupervisorOptions { dataPath: string, port: number, chainId: number, tuning?: Partial<SupervisorTuning> }

const RESTART_DELAY_MS = 50
const MAX_RESTART_DELAY_MS = 5000
/** Linux pages; other systems have no /proc and no watchdog. */
const PAGE_BYTES = 4096

/**
 * Starts the chain, from its newest valid snapshot when there is one.
 * Throws ChainError CHAIN_NO_ANVIL, CHAIN_PORT_IN_USE, CHAIN_DATA_LOCKED, CHAIN_SNAPSHOT_INVALID or CHAIN_ANVIL_FAILED.
 */
export async function startSupervisor (components: SupervisorComponents, options: SupervisorOptions): Promise<Supervisor> {
  const { clock, logger } = components
  const tuning = { ...SUPERVISOR_TUNING, ...options.tuning }
  await mkdir(options.dataPath, { recursive: true })
  const cachePath = join(options.dataPath, 'anvil-cache')
  const owner = createAnvilOwner({ path: options.dataPath, mark: cachePath })
  await owner.claim()
  const port = await reservePort(options.port)
  const snapshots = createSnapshots({ logger }, { path: options.dataPath })
  const stopping = new AbortController()
  let anvil: Anvil | undefined

  const launch = async (): Promise<Anvil> => {
    const started = await startFromSnapshot(snapshots, { logger }, { port, chainId: options.chainId, cachePath })
    try {
      await owner.note(started.pid)
      await bringTimeForward(started, clock)
      return started
    } catch (error) {
      await started.stop()
      throw error
    }
  }
  const miner = createMiner({ clock, logger, snapshots, anvil: () => anvil }, tuning)
  anvil = await launch()

  const watch = async (): Promise<void> => {
    for (let delayMs = RESTART_DELAY_MS; !stopping.signal.aborted;) {
      if (anvil === undefined) {
        anvil = await launch().catch((error: unknown) => { logger.error('chain.restart-failed', { error }); return undefined })
        delayMs = anvil === undefined ? Math.min(delayMs * 2, MAX_RESTART_DELAY_MS) : RESTART_DELAY_MS
        if (anvil !== undefined) logger.warn('chain.anvil-restarted', { pid: anvil.pid })
      } else {
        const current = anvil
        const reason = await Promise.race([current.ended.then(() => 'ended'), clock.wait(tuning.watchRssMs, stopping.signal).then(() => 'look', () => 'stopping')])
        if (reason === 'stopping') return
        if (reason === 'look' && await rssBytes(current.pid) <= tuning.maxRssBytes) continue
        logger.warn(reason === 'ended' ? 'chain.anvil-died' : 'chain.anvil-too-large', { pid: current.pid })
        if (reason === 'look') await miner.save()
        anvil = undefined
        await current.stop()
      }
      await clock.wait(delayMs, stopping.signal).catch(() => undefined)
    }
  }
  const watching = watch()
  miner.start()
  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    port,
    anvilPid: () => anvil?.pid,
    save: miner.save,
    stop: async () => {
      if (stopping.signal.aborted) { await watching; return }
      stopping.abort()
      await watching
      await miner.stop()
      await anvil?.stop()
      await owner.release()
    }
  }
}

/** Newest generation first. A chain with only damaged generations is not silently begun anew. */
async function startFromSnapshot (snapshots: Snapshots, components: { logger: Logger }, options: { port: number, chainId: number, cachePath: string }): Promise<Anvil> {
  const generations = await snapshots.list()
  for (const generation of generations) {
    const anvil = await snapshots.withUnpacked(generation, async (statePath) => await startAnvil({ ...options, statePath })).catch((error: unknown) => {
      if (!(error instanceof ChainError) || error.code !== 'CHAIN_ANVIL_FAILED') throw error
      components.logger.warn('chain.snapshot-refused', { generation, error })
      return undefined
    })
    if (anvil !== undefined) return anvil
  }
  if (generations.length === 0) return await startAnvil(options)
  throw new ChainError('CHAIN_SNAPSHOT_INVALID', `no snapshot of the chain can be loaded (${generations.length} tried)`, { data: { generations }, hint: 'Remove the chain folder to begin a new chain; what was on the old one is lost.' })
}

/**
 * anvil forgets time offsets with its process: without this, blocks after a restart could be older than those before it.
 * The block mined here brings the head's time up to now, since calls against the head read it.
 */
async function bringTimeForward (anvil: Anvil, clock: Clock): Promise<void> {
  const block = await anvil.rpc.call('eth_getBlockByNumber', ['latest', false]) as { timestamp: string }
  const aheadSeconds = Number(block.timestamp) - Math.floor(clock.now() / 1000)
  if (aheadSeconds > 0) await anvil.rpc.call('evm_increaseTime', [aheadSeconds])
  await anvil.rpc.call('evm_mine')
}

async function rssBytes (pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0')
  return Number(statm.split(' ')[1]) * PAGE_BYTES
}
