import { startSupervisor } from '../../src/chain/supervisor.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'

/** A supervisor in a process of its own, for tests that kill it: `node supervisor-process.ts DATA_PATH`, prints one line of JSON. */
const supervisor = await startSupervisor({ clock: createSystemClock(), logger: silentLogger }, { dataPath: process.argv[2] as string, port: 0, chainId: 31_337 })
await supervisor.save()
process.stdout.write(`${JSON.stringify({ rpcUrl: supervisor.rpcUrl, anvilPid: supervisor.anvilPid() })}\n`)
