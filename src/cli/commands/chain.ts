import { startSupervisor } from '../../chain/supervisor.ts'
import { createSystemClock } from '../../core/clock.ts'
import { createLogger } from '../../core/logger.ts'
import { EXIT } from '../exit-codes.ts'
import { numberFlag, type CommandRun } from './context.ts'

/** `lilynode chain`: the embedded chain under its supervisor, until SIGINT or SIGTERM. */
export const runChain: CommandRun = async (context) => {
  const clock = createSystemClock()
  const logger = createLogger({ level: 'info', write: (line) => { process.stderr.write(line) }, now: clock.now, scope: 'chain' })
  const chain = await startSupervisor({ clock, logger }, {
    dataPath: context.root,
    port: numberFlag(context, 'port', { min: 0, max: 65_535, fallback: 8545 }),
    chainId: numberFlag(context, 'chainId', { min: 1, max: 2 ** 31, fallback: 31_337 })
  })
  context.output.line({ event: 'ready', rpcUrl: chain.rpcUrl }, `chain at ${chain.rpcUrl}`)
  await new Promise<void>((resolve) => { context.signal.addEventListener('abort', () => { resolve() }, { once: true }) })
  await chain.stop()
  return EXIT.ok
}
