import type { ComponentLogger, Logger } from '@libp2p/interface'

const say = (): void => undefined
const silent: Logger = Object.assign(say, { enabled: false, error: say, trace: say, newScope: () => silent })

/**
 * In the place of libp2p's own log, which makes three loggers for each connection and stream, and asks the system for each of them
 * whether stderr is a terminal, also where nobody reads them.
 */
export const silentLog: ComponentLogger = { forComponent: () => silent }
