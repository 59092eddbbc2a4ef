/** A connection or stream of libp2p: an emitter of main-event's. */
interface Emitter { listenerCount: (type: string) => number, safeDispatchEvent: (type: string, detail?: never) => boolean }

/** Makes no events that nobody listens to: each of the three layers of a connection tells after every send that it is idle again. */
export function skipUnheard (emitter: object): void {
  const target = emitter as Emitter
  const { safeDispatchEvent } = target
  target.safeDispatchEvent = (type, detail) => target.listenerCount(type) > 0 && safeDispatchEvent.call(target, type, detail)
}
