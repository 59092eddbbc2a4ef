import type { Clock } from '../core/clock.ts'
import type { createLifecycle } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import { createWasmExecutor, type WasmExecutor } from '../exec/executor.ts'
import { createCapacityLedger, measureMachine, type CapacityLedger } from '../roles/provider/capacity.ts'
import type { NodeOptions } from './options.ts'

/** What this machine has for jobs, once for all networks of the node: sandboxes where a role runs programs, capacity where it is offered. */
export interface Machine { executor?: WasmExecutor, capacity?: CapacityLedger }

/** Sandbox processes that a provider keeps ready: the matches of one epoch come at once. 39 MB each. */
const WARM_CHILDREN = 5

/** Starts what the roles need. Throws RoleError ROLE_BAD_UNITS. */
export async function openMachine (components: { clock: Clock, logger: Logger }, options: Pick<NodeOptions, 'root' | 'roles' | 'units'>, lifecycle: ReturnType<typeof createLifecycle>): Promise<Machine> {
  const provides = options.roles.includes('resource-provider')
  if (!provides && !options.roles.includes('mediator')) return {}
  const executor = await lifecycle.add(createWasmExecutor({ logger: components.logger.child('exec'), clock: components.clock }, { warm: provides ? WARM_CHILDREN : 1 }))
  if (!provides) return { executor }
  const { units = [] } = options
  return { executor, capacity: createCapacityLedger(await measureMachine(options.root), units.length === 0 ? [{ name: 'machine', share: 1 }] : units) }
}
