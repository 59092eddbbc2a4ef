import { createClockCalls } from './clock-calls.ts'
import { createDataCalls } from './data-calls.ts'
import { createDescriptorCalls } from './descriptor-calls.ts'
import { ERRNO, WasiFault } from './errno.ts'
import { GuestStop } from './guest-stop.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'
import { createOpenCalls } from './open-calls.ts'
import { createPathCalls } from './path-calls.ts'
import { createProcessCalls } from './process-calls.ts'
import { createReaddirCalls } from './readdir-calls.ts'
import { createSocketCalls } from './socket-calls.ts'

/**
 * The functions of `wasi_snapshot_preview1` over one job's world. Faults become return values; a GuestStop unwinds,
 * and once it was thrown every further call throws it again, whatever the guest caught.
 */
export function createPreview1 (world: GuestWorld): WebAssembly.ModuleImports {
  const calls: HostCalls = {
    ...createProcessCalls(world), ...createClockCalls(world), ...createDataCalls(world), ...createDescriptorCalls(world),
    ...createReaddirCalls(world), ...createOpenCalls(world), ...createPathCalls(world), ...createSocketCalls(world)
  }
  let stopped: GuestStop | undefined
  const guard = (call: (...values: never[]) => void) => (...values: never[]): number => {
    if (stopped !== undefined) throw stopped
    try {
      call(...values)
      return ERRNO.SUCCESS
    } catch (error) {
      if (error instanceof WasiFault) return error.errno
      if (error instanceof GuestStop) stopped = error
      throw error
    }
  }
  return Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, guard(call)]))
}
