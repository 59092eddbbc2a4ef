import type { Clock } from '../core/clock.ts'
import { inTurns } from '../core/in-turns.ts'
import type { Logger } from '../core/logger.ts'
import type { Anvil } from './anvil.ts'
import { ChainError } from './errors.ts'
import type { SupervisorTuning } from './options.ts'
import type { Snapshots } from './snapshots.ts'

/** What makes the embedded chain move: blocks when transactions wait, a heartbeat otherwise, snapshots after changes. */
export interface Miner {
  start: () => void
  /** Writes a snapshot now, after the one under way. */
  save: () => Promise<void>
  /** Ends the loop, then writes a last snapshot. */
  stop: () => Promise<void>
}

export interface MinerComponents { clock: Clock, logger: Logger, snapshots: Snapshots, anvil: () => Anvil | undefined }

/** A dump of a long history is large: 16 MB of state take 150 ms. */
const DUMP_TIMEOUT_MS = 60_000
/** Waiting transactions that no block takes (fees below the base fee) must not turn into a block every poll. */
const MAX_FUTILE_WAIT_MS = 1000

/** Does nothing before `start`. Failures of anvil are waited out: the supervisor restarts it. */
export function createMiner (components: MinerComponents, tuning: SupervisorTuning): Miner {
  const { clock, logger, snapshots } = components
  const stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let saving: Promise<void> = Promise.resolve()
  let isSaving = false
  /** Transactions were mined that no snapshot holds; `hasAged`: only empty blocks were. */
  let isDirty = false
  let hasAged = false
  let lastBlockMs = clock.now()
  let lastTransactionMs = clock.now()
  let lastSaveMs = clock.now()
  let saveGapMs = tuning.snapshotGapMs
  let stuck = 0
  let futileWaitMs = 0

  const pending = async (anvil: Anvil): Promise<number> => Number((await anvil.rpc.call('txpool_status') as { pending: string }).pending)
  /** anvil reads blocks and state for a dump one after the other: a block mined in between would be in the state alone. */
  const inTurn = inTurns()
  const mine = async (anvil: Anvil): Promise<void> => {
    await inTurn('chain', async () => await anvil.rpc.call('evm_mine'))
    lastBlockMs = clock.now()
    hasAged = true
  }
  const mineWaiting = async (anvil: Anvil): Promise<void> => {
    for (let waiting = await pending(anvil); waiting > stuck || (waiting > 0 && clock.now() - lastBlockMs >= futileWaitMs);) {
      await mine(anvil)
      const left = await pending(anvil)
      if (left < waiting) {
        isDirty = true
        lastTransactionMs = clock.now()
        // The same ones as before are left: no reason to try them sooner.
        if (left !== stuck) futileWaitMs = 0
      } else {
        futileWaitMs = Math.min(Math.max(futileWaitMs * 2, tuning.pollMs), MAX_FUTILE_WAIT_MS)
      }
      stuck = waiting = left
    }
  }
  const look = async (anvil: Anvil): Promise<void> => {
    await mineWaiting(anvil)
    const isQuiet = clock.now() - lastTransactionMs > tuning.quietAfterMs
    if (clock.now() - lastBlockMs >= (isQuiet ? tuning.quietHeartbeatMs : tuning.heartbeatMs)) await mine(anvil)
    const sinceSaveMs = clock.now() - lastSaveMs
    const isDue = (isDirty && sinceSaveMs >= saveGapMs) || (hasAged && sinceSaveMs >= Math.max(saveGapMs, tuning.agedSnapshotGapMs))
    if (isDue && !isSaving) save().catch((error: unknown) => { logger.warn('chain.snapshot-failed', { error }) })
  }
  const write = async (): Promise<void> => {
    const anvil = components.anvil()
    if (anvil === undefined) return
    isSaving = true
    const startedMs = clock.now()
    try {
      isDirty = hasAged = false
      const dump = await inTurn('chain', async () => await anvil.rpc.call('anvil_dumpState', [], DUMP_TIMEOUT_MS))
      if (typeof dump !== 'string') throw new ChainError('CHAIN_RPC', 'anvil_dumpState gave no string')
      await snapshots.save(Buffer.from(dump.slice(2), 'hex'))
    } catch (error) {
      isDirty = true
      throw error
    } finally {
      isSaving = false
      lastSaveMs = clock.now()
      saveGapMs = Math.max(tuning.snapshotGapMs, (lastSaveMs - startedMs) * tuning.snapshotCostFactor)
    }
  }
  const save = (): Promise<void> => (saving = saving.catch(() => undefined).then(write))
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const anvil = components.anvil()
      try {
        if (anvil !== undefined) await look(anvil)
      } catch (error) {
        logger.debug('chain.miner-failed', { error })
      }
      await clock.wait(tuning.pollMs, stopping.signal).catch(() => undefined)
    }
  }
  return {
    start: () => { running = run() },
    save,
    stop: async () => {
      stopping.abort()
      await running
      await saving.catch(() => undefined)
      // Always: state set through anvil's own methods makes no block that would have been counted.
      if (components.anvil() !== undefined) await save().catch((error: unknown) => { logger.error('chain.snapshot-failed', { error }) })
    }
  }
}
