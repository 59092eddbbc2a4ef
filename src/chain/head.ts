import { hexToBigInt, hexToNumber, type Hex } from 'viem'
import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Hash } from '../wire/shapes.ts'
import type { ChainClients } from './clients.ts'
import { ChainError } from './errors.ts'
import type { ChainTuning } from './options.ts'

/** The newest block. `time` is unix seconds, `baseFee` wei per gas. */
export interface Block { number: number, hash: Hash, parentHash: Hash, time: number, baseFee: bigint }

/** Watches the newest block for everyone in this node: one poll serves events, receipts, fees and chain time. */
export interface Head extends Startable {
  /** The newest block seen; asks the chain when none was seen yet. Rejects with ChainError. */
  latest: () => Promise<Block>
  /** Asks the chain now. */
  refresh: () => Promise<Block>
  /** Called with each new head, in order; a smaller number than before means a re-org or a restored chain. */
  onBlock: (listener: (block: Block) => void) => () => void
  /** Polls faster until the returned function is called. */
  hurry: () => () => void
  status: () => HeadStatus
}
export interface HeadStatus { isReachable: boolean, number: number | undefined, problem: { code: string, message: string } | undefined }

interface RpcBlock { number: Hex, hash: Hash, parentHash: Hash, timestamp: Hex, baseFeePerGas?: Hex }

/** While the chain is away the polls slow down to this. */
const MAX_BACKOFF_MS = 2000

/** Starts no poll before `start`. */
export function createHead (components: { clients: ChainClients, clock: Clock, logger: Logger }, tuning: ChainTuning): Head {
  const { clients, clock, logger } = components
  const listeners = new Set<(block: Block) => void>()
  let isStopping = false
  let running: Promise<void> = Promise.resolve()
  let newest: Block | undefined
  let problem: HeadStatus['problem']
  let hurries = 0
  let wake = (): void => undefined
  let asked = 0
  let taken = 0

  const refresh = async (): Promise<Block> => {
    const turn = ++asked
    const block = toBlock(await clients.request<RpcBlock>('eth_getBlockByNumber', ['latest', false]))
    // Answers that overtook each other must not look like a chain that went back.
    if (turn < taken) return newest ?? block
    taken = turn
    if (newest?.hash === block.hash) return block
    newest = block
    for (const listener of listeners) listener(block)
    return block
  }
  const sleep = async (delayMs: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      const cancel = clock.after(delayMs, resolve)
      wake = () => { cancel(); resolve() }
    })
  }
  const run = async (): Promise<void> => {
    for (let failures = 0; !isStopping;) {
      try {
        await refresh()
        if (problem !== undefined) logger.info('chain.back', { rpcUrls: clients.rpcUrls })
        problem = undefined
        failures = 0
      } catch (error) {
        failures++
        if (problem === undefined) logger.warn('chain.away', { error })
        problem = { code: errorCode(error), message: errorMessage(error) }
      }
      const pollMs = hurries > 0 ? tuning.busyPollMs : tuning.pollMs
      const delayMs = failures === 0 ? pollMs : Math.min(pollMs * 2 ** failures, Math.max(MAX_BACKOFF_MS, pollMs))
      if (!isStopping) await sleep(delayMs)
    }
  }
  return {
    start: async () => { running = run() },
    stop: async () => { isStopping = true; wake(); await running },
    latest: async () => newest ?? await refresh(),
    refresh,
    onBlock: (listener) => { listeners.add(listener); return () => { listeners.delete(listener) } },
    hurry: () => {
      hurries++
      if (hurries === 1 && problem === undefined) wake()
      let isHeld = true
      return () => { if (isHeld) { isHeld = false; hurries-- } }
    },
    status: () => ({ isReachable: problem === undefined, number: newest?.number, problem })
  }
}

/** Reads a block header as JSON-RPC gives it. Throws ChainError CHAIN_RPC for a chain without EIP-1559. */
function toBlock (block: RpcBlock | null): Block {
  if (block?.baseFeePerGas === undefined) throw new ChainError('CHAIN_RPC', 'the chain gives no block with a base fee (EIP-1559)', { hint: 'Use an RPC endpoint of a chain with London rules.' })
  return { number: hexToNumber(block.number), hash: block.hash, parentHash: block.parentHash, time: hexToNumber(block.timestamp), baseFee: hexToBigInt(block.baseFeePerGas) }
}
