/** Time as the guest sees it: it moves by a fixed step with each look, and by what the guest sleeps. Never the machine's own. */
export interface VirtualClock {
  /** Wall time, nanoseconds since 1970, without moving. */
  peekNs: () => bigint
  /** Time since the run began, without moving. */
  elapsedNs: () => bigint
  /** One look: moves by RESOLUTION_NS first. */
  look: () => void
  /** A sleep: moves at once. */
  advance: (ns: bigint) => void
}

/** Each look costs the guest a microsecond, so that loops that wait for time to pass end. */
export const RESOLUTION_NS = 1000n
/** Years ahead where the clock stops, so that it always fits in 63 bits. */
const MAX_ELAPSED_NS = 2n ** 62n

/** `startMs`: the wall time at which the guest begins, 0 to 2^53 / 1000. */
export function createVirtualClock (startMs: number): VirtualClock {
  const startNs = BigInt(startMs) * 1_000_000n
  let elapsed = 0n
  const advance = (ns: bigint): void => { elapsed = elapsed + ns > MAX_ELAPSED_NS ? MAX_ELAPSED_NS : elapsed + ns }
  return {
    peekNs: () => startNs + elapsed,
    elapsedNs: () => elapsed,
    look: () => { advance(RESOLUTION_NS) },
    advance
  }
}
