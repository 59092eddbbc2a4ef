import { decodeEventLog, hexToNumber, type AbiEvent, type ContractEventName, type DecodeEventLogReturnType } from 'viem'
import type { Address, Hash } from '../wire/shapes.ts'
import { ABIS, type ContractName } from './abis.ts'
import { toAmount } from './amounts.ts'
import type { RpcLog } from './contract-call.ts'

type Abis = typeof ABIS
/** Arguments that are 256 bits, one for each leaf of a batch. */
type Bits = 'voided' | 'leaves'
/** Event arguments with amounts as safe integers, bits of leaves as they are, and addresses in lower case. */
type Plain<T> = { readonly [K in keyof T]: K extends Bits ? T[K] : T[K] extends bigint ? number : T[K] }
type FullArgs<A extends Abis[ContractName], N extends ContractEventName<A>> = Exclude<DecodeEventLogReturnType<A, N>['args'], readonly unknown[] | undefined>

/** Where an event stands. */
export interface EventPlace {
  /** Names the event over re-orgs: its transaction, which of that one's logs (of our contracts) it is, and what it is about: a batch has another id in another block. */
  id: string
  blockNumber: number
  blockHash: Hash
  /** Unix seconds. */
  blockTime: number
  logIndex: number
  transactionHash: Hash
  /** Of the transaction: who sent it and the gas it used; left out while a long history is being read. */
  from?: Address
  gas?: number
  /** The deal it is about, when it is about one. */
  dealId?: Hash
}

type EventsOf<C extends keyof EventSources> = { [N in ContractEventName<Abis[C]>]: EventPlace & { contract: C, name: N, args: Plain<FullArgs<Abis[C], N>> } }[ContractEventName<Abis[C]>]
/** An event of one of these contracts; `name` and `args` are those of the Solidity event. */
export type ChainEvent = EventsOf<'vault'> | EventsOf<'market'> | EventsOf<'court'> | EventsOf<'batches'> | EventsOf<'vouchers'>

/** Addresses of the contracts whose events are read. The token's are not: holders may move more than 2^53 nLILY. */
export type EventSources = Readonly<Record<typeof SOURCES[number], Address>>
const SOURCES = ['vault', 'market', 'court', 'batches', 'vouchers'] as const
const BITS: ReadonlySet<string> = new Set<Bits>(['voided', 'leaves'])

/** The addresses alone, as eth_getLogs takes them. */
export function sourceAddresses (sources: EventSources): Address[] {
  return SOURCES.map((name) => sources[name])
}

/** Decodes logs in the order given; logs of other contracts and unknown events are left out. `timeOf` gives a block's unix seconds. */
export function decodeEvents (sources: EventSources, logs: readonly RpcLog[], timeOf: (log: RpcLog) => number): ChainEvent[] {
  const nameOf = new Map(SOURCES.map((name) => [sources[name], name]))
  const ordinals = new Map<Hash, number>()
  return logs.flatMap((log) => {
    const contract = nameOf.get(log.address.toLowerCase() as Address)
    if (contract === undefined) return []
    const ordinal = ordinals.get(log.transactionHash) ?? 0
    ordinals.set(log.transactionHash, ordinal + 1)
    const decoded = decode(contract, log)
    if (decoded === undefined) return []
    const place: EventPlace = {
      id: `${log.transactionHash}:${ordinal}:${log.topics[1]?.slice(2, 10) ?? ''}`,
      blockNumber: hexToNumber(log.blockNumber),
      blockHash: log.blockHash,
      blockTime: timeOf(log),
      logIndex: hexToNumber(log.logIndex),
      transactionHash: log.transactionHash,
      ...(typeof decoded.args['dealId'] === 'string' ? { dealId: decoded.args['dealId'] as Hash } : {})
    }
    return [{ ...place, contract, ...decoded } as ChainEvent]
  })
}

function decode (contract: keyof EventSources, log: RpcLog): { name: string, args: Record<string, unknown> } | undefined {
  const events: readonly AbiEvent[] = (ABIS[contract] as readonly { type: string }[]).filter((item): item is AbiEvent => item.type === 'event')
  try {
    const { eventName, args } = decodeEventLog({ abi: events, topics: log.topics, data: log.data })
    return { name: eventName ?? '', args: Object.fromEntries(Object.entries(args ?? {}).map(([key, value]) => [key, BITS.has(key) ? value : plain(value)])) }
  } catch {
    // A later contract version's event, or an amount beyond 2^53 nLILY: neither can concern a deal of this node, and neither may stop the rest.
    return undefined
  }
}

function plain (value: unknown): unknown {
  if (typeof value === 'bigint') return toAmount(value)
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'string' ? value.toLowerCase() : value
}
