import { type DescriptorTable } from './descriptors.ts'
import { type GuestMemory } from './guest-memory.ts'
import { type Streams } from './streams.ts'
import { type Tree } from './tree.ts'
import { type VirtualClock } from './virtual-clock.ts'

/** All that host calls can reach: nothing of the machine is in it. */
export interface GuestWorld {
  readonly memory: GuestMemory
  readonly tree: Tree
  readonly descriptors: DescriptorTable
  readonly clock: VirtualClock
  readonly streams: Streams
  /** Fills with seeded bytes. */
  readonly fillRandom: (target: Uint8Array) => void
  readonly args: readonly string[]
  /** `NAME=value` lines. */
  readonly env: readonly string[]
}

/** A host call: numbers for i32, bigints for i64, as its signature says. Returns nothing for success; throws WasiFault or GuestStop. */
export type HostCall = (...values: never[]) => void
export type HostCalls = Readonly<Record<string, HostCall>>
