import type { Clock } from '../core/clock.ts'
import { errorCode, errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Mesh } from '../mesh/mesh.ts'
import type { PartMark } from '../wire/fleet.ts'
import type { FleetMember } from '../wire/fleet-roster.ts'
import type { Address } from '../wire/shapes.ts'
import { exchangeWith, type ExchangeComponents } from './exchange.ts'
import { FLEET } from './options.ts'

/** How the last exchange with a member went. `atMs`: unix ms of the last one that succeeded. */
export interface FleetLink { atMs?: number, code?: string }

/** Decides when to talk with whom: on connect, after own changes, and now and then. One exchange per member at a time. */
export interface FleetSync {
  start: () => void
  /** Breaks off what runs and waits for it. */
  stop: () => Promise<void>
  link: (operator: Address) => FleetLink | undefined
}

interface Line extends FleetLink { running?: Promise<void>, isAskedAgain?: boolean, theirs: readonly PartMark[], failures: number, cancelRetry?: () => void }

export function createFleetSync (components: ExchangeComponents & { mesh: Pick<Mesh, 'peers' | 'onPeer'>, clock: Clock, logger: Logger }): FleetSync {
  const { mesh, document, clock, logger } = components
  const lines = new Map<Address, Line>()
  const leaves: Array<() => void> = []
  let stopping = new AbortController()
  let cancelTick = (): void => undefined

  const lineOf = (operator: Address): Line => {
    const line = lines.get(operator) ?? { theirs: [], failures: 0 }
    lines.set(operator, line)
    return line
  }
  const others = (): FleetMember[] => document.roster.members.filter(({ operator }) => operator !== document.self)
  const attempt = async (member: FleetMember, line: Line): Promise<void> => {
    line.isAskedAgain = false
    line.cancelRetry?.()
    delete line.cancelRetry
    try {
      line.theirs = await exchangeWith(components, member, line.theirs, stopping.signal)
      line.atMs = clock.now()
      line.failures = 0
      delete line.code
    } catch (error) {
      if (stopping.signal.aborted) return
      const code = errorCode(error)
      line.theirs = []
      // A member that is away or refuses is asked less and less often.
      line.cancelRetry = clock.after(Math.min(FLEET.maxRetryMs, FLEET.retryMs * 2 ** line.failures), () => { ask(member) })
      line.failures++
      if (line.code !== code) logger.info('fleet.member', { member: member.name, code, error: errorMessage(error) })
      line.code = code
    }
  }
  /** What is asked for while an attempt runs, a new connection say, makes another one. */
  const talk = async (member: FleetMember, line: Line): Promise<void> => {
    while (line.isAskedAgain === true && !stopping.signal.aborted) await attempt(member, line)
    // In the same turn as the last look, so that nothing asked for is lost.
    delete line.running
  }
  const ask = (member: FleetMember): void => {
    if (stopping.signal.aborted) return
    const line = lineOf(member.operator)
    line.isAskedAgain = true
    line.running ??= talk(member, line)
  }
  /** Everybody but those who wait for their next try without a connection. */
  const askAll = (): void => {
    const connected = new Set(mesh.peers().map(({ peerId }) => peerId))
    const members = others()
    for (const [operator, line] of lines) {
      if (members.some((member) => member.operator === operator)) continue
      line.cancelRetry?.()
      lines.delete(operator)
    }
    for (const member of members) {
      const line = lineOf(member.operator)
      if (line.failures === 0 || (connected.has(member.peerId) && line.code !== 'FLEET_REFUSED')) ask(member)
    }
  }
  const tick = (): void => {
    askAll()
    cancelTick = clock.after(FLEET.syncMs, tick)
  }
  return {
    link: (operator) => {
      const line = lines.get(operator)
      return line === undefined ? undefined : { ...(line.atMs === undefined ? {} : { atMs: line.atMs }), ...(line.code === undefined ? {} : { code: line.code }) }
    },
    start: () => {
      stopping = new AbortController()
      leaves.push(
        mesh.onPeer(({ peerId, type }) => {
          const member = type === 'connect' ? document.memberOf(peerId) : undefined
          if (member === undefined || member.operator === document.self) return
          lineOf(member.operator).failures = 0
          ask(member)
        }),
        document.onChange((isNews) => { if (isNews) askAll() })
      )
      tick()
    },
    stop: async () => {
      for (const leave of leaves.splice(0)) leave()
      cancelTick()
      for (const line of lines.values()) line.cancelRetry?.()
      stopping.abort(new Error('the fleet stops'))
      await Promise.allSettled([...lines.values()].map(({ running }) => running))
    }
  }
}
