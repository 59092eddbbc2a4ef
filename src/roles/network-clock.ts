import type { Clock } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import type { Startable } from '../core/lifecycle.ts'
import type { Logger } from '../core/logger.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { decodeTime, encodeTime, MAX_TIME_BYTES, TIME_PROTOCOL, TIME_QUESTION } from '../wire/time.ts'

/** The machine's clock as the node's peers correct it; protocol/mesh.md, Time. `now` is the corrected time. */
export interface NetworkClock extends Clock {
  /** What is added to the machine's clock, ms. */
  offsetMs: () => number
  /** How far ahead of the machine's clock the peers are by the last round; undefined while fewer than five answered. */
  measuredMs: () => number | undefined
  /** False when the machine is so far off that the node takes no part in auctions. */
  isSound: () => boolean
}

const FIRST_ROUND_MS = 1_000
const ROUND_MS = 60_000
const ANSWER_MS = 5_000
const MAX_ASKED = 16
/** Two peers that lie do not move the median of five. */
const MIN_ANSWERS = 5
/** Half of what an answer takes may be the error. */
const MAX_ROUND_TRIP_MS = 200
const NOISE_MS = MAX_ROUND_TRIP_MS / 2

/** `maxOffMs`: the largest correction; beyond it the machine's clock is wrong. */
export function createNetworkClock (components: { mesh: Pick<Mesh, 'peers' | 'requests'>, clock: Clock, logger: Logger }, options: { maxOffMs: number }): NetworkClock & Startable {
  const { mesh, clock, logger } = components
  const stopping = new AbortController()
  let measured: number | undefined
  let stop: (() => void) | undefined
  let loop: Promise<void> = Promise.resolve()

  const ask = async (peerId: string): Promise<number | undefined> => {
    const asked = clock.now()
    const bytes = await mesh.requests.request(peerId, TIME_PROTOCOL, TIME_QUESTION, { signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(ANSWER_MS)]), maxBytes: MAX_TIME_BYTES })
    const answered = clock.now()
    return answered - asked > MAX_ROUND_TRIP_MS ? undefined : decodeTime(bytes) - Math.floor((asked + answered) / 2)
  }
  const round = async (): Promise<void> => {
    const answers = await Promise.all(peersToAsk(mesh.peers()).map(async (peerId) => await ask(peerId).catch((error: unknown) => {
      logger.debug('time', { peerId, error: errorMessage(error) })
      return undefined
    })))
    const ahead = answers.filter((answer) => answer !== undefined).sort((left, right) => left - right)
    measured = ahead.length < MIN_ANSWERS ? undefined : ahead[Math.floor((ahead.length - 1) / 2)] as number
    if (Math.abs(measured ?? 0) > NOISE_MS) logger.warn('time.off', { aheadMs: measured, answers: ahead.length })
  }
  const offsetMs = (): number => measured === undefined || Math.abs(measured) <= NOISE_MS || Math.abs(measured) > options.maxOffMs ? 0 : measured

  return {
    now: () => clock.now() + offsetMs(),
    after: clock.after,
    wait: clock.wait,
    offsetMs,
    measuredMs: () => measured,
    isSound: () => Math.abs(measured ?? 0) <= Math.max(NOISE_MS, options.maxOffMs),
    start: async () => {
      stop = mesh.requests.serve(TIME_PROTOCOL, { maxBytes: MAX_TIME_BYTES, perPeerPerSecond: 2, concurrency: 64, timeoutMs: ANSWER_MS }, async () => await Promise.resolve(encodeTime(clock.now())))
      loop = (async () => {
        for (let pauseMs = FIRST_ROUND_MS; !stopping.signal.aborted; pauseMs = ROUND_MS) {
          await clock.wait(pauseMs, stopping.signal).then(round).catch(() => undefined)
        }
      })()
      await Promise.resolve()
    },
    stop: async () => {
      stop?.()
      stopping.abort(new Error('the node is stopping'))
      await loop
    }
  }
}

/** Peer ids of different subnets: whoever rents many addresses of one has one voice. */
export function peersToAsk (peers: ReadonlyArray<{ peerId: string, address: string }>): string[] {
  const bySubnet = new Map<string, string>()
  for (const { peerId, address } of peers) {
    const subnet = subnetOf(address, peerId)
    if (subnet !== undefined && !bySubnet.has(subnet)) bySubnet.set(subnet, peerId)
  }
  return [...bySubnet.values()].slice(0, MAX_ASKED)
}

function subnetOf (address: string, peerId: string): string | undefined {
  if (address.includes('/p2p-circuit')) return undefined
  const [, kind, host = ''] = address.split('/')
  if (kind === 'ip4') return host.startsWith('127.') ? peerId : host.split('.').slice(0, 3).join('.')
  if (kind === 'ip6') return host === '::1' ? peerId : host.split(':').slice(0, 3).join(':')
  return 'name'
}
