import { ERRNO, WasiFault, fault } from './errno.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { RESOLUTION_NS } from './virtual-clock.ts'

const REALTIME = 0
const LAST_CLOCK = 3
const SUBSCRIPTION_BYTES = 48
const EVENT_BYTES = 32
const TAG_CLOCK = 0
const TAG_WRITE = 2
const ABSOLUTE = 1
const HANGUP = 1
/** Most subscriptions of one poll: one per descriptor and some timers. */
const MAX_SUBSCRIPTIONS = 2048

/** Monotonic time starts at a second, since some runtimes take 0 for "unset". */
const MONOTONIC_START_NS = 1_000_000_000n

interface PollEvent { readonly userdata: bigint, readonly tag: number, readonly errno: number, readonly hangup: boolean }

/** Virtual clocks, and polling in virtual time: files are always ready, a sleep passes at once. */
export function createClockCalls (world: GuestWorld): HostCalls {
  const { clock, memory } = world
  const nowOf = (id: number): bigint => {
    if (id >>> 0 > LAST_CLOCK) throw fault('INVAL')
    return id === REALTIME ? clock.peekNs() : clock.elapsedNs() + MONOTONIC_START_NS
  }
  /** Nanoseconds that a clock subscription still waits. */
  const waitOf = (at: number): bigint => {
    const now = nowOf(memory.readU32(at + 16))
    const timeout = memory.readU64(at + 24)
    if ((memory.readU16(at + 40) & ABSOLUTE) === 0) return timeout
    return timeout > now ? timeout - now : 0n
  }
  const readiness = (at: number, tag: number): PollEvent => {
    const userdata = memory.readU64(at)
    try {
      const descriptor = world.descriptors.get(memory.readU32(at + 16))
      return { userdata, tag, errno: ERRNO.SUCCESS, hangup: descriptor.kind === 'input' }
    } catch (error) {
      if (error instanceof WasiFault) return { userdata, tag, errno: error.errno, hangup: false }
      throw error
    }
  }
  return {
    clock_res_get: (id: number, out: number) => {
      nowOf(id)
      memory.writeU64(out, RESOLUTION_NS)
    },
    clock_time_get: (id: number, _precision: bigint, out: number) => {
      clock.look()
      memory.writeU64(out, nowOf(id))
    },
    poll_oneoff: (subscriptions: number, events: number, count: number, countOut: number) => {
      const size = count >>> 0
      if (size === 0 || size > MAX_SUBSCRIPTIONS) throw fault('INVAL')
      memory.bytes(subscriptions, size * SUBSCRIPTION_BYTES)
      memory.bytes(events, size * EVENT_BYTES)
      const ready: PollEvent[] = []
      const waiting: Array<{ event: PollEvent, waitNs: bigint }> = []
      for (let index = 0; index < size; index++) {
        const at = (subscriptions >>> 0) + index * SUBSCRIPTION_BYTES
        const tag = memory.readU8(at + 8)
        if (tag > TAG_WRITE) throw fault('INVAL')
        if (tag === TAG_CLOCK) waiting.push({ waitNs: waitOf(at), event: { userdata: memory.readU64(at), tag, errno: ERRNO.SUCCESS, hangup: false } })
        else ready.push(readiness(at, tag))
      }
      const soonest = ready.length > 0 ? 0n : waiting.reduce((least, { waitNs }) => (waitNs < least ? waitNs : least), waiting[0]?.waitNs ?? 0n)
      clock.advance(soonest)
      for (const { event, waitNs } of waiting) if (waitNs <= soonest) ready.push(event)
      for (const [index, event] of ready.entries()) {
        const at = (events >>> 0) + index * EVENT_BYTES
        memory.bytes(at, EVENT_BYTES).fill(0)
        memory.writeU64(at, event.userdata)
        memory.writeU16(at + 8, event.errno)
        memory.writeU8(at + 10, event.tag)
        memory.writeU16(at + 24, event.hangup ? HANGUP : 0)
      }
      memory.writeU32(countOut, ready.length)
    }
  }
}
