import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import { VIEW_MESSAGE } from '../../wire/view.ts'

/**
 * The state vector of a sync step 1; `dropped` for what a reader may send in vain, of which nothing more is decoded; undefined
 * for what is no message of the live view (protocol/view.md, "Connection").
 */
export function readMessage (bytes: Uint8Array): Uint8Array | 'dropped' | undefined {
  try {
    const decoder = decoding.createDecoder(bytes)
    const type = decoding.readVarUint(decoder)
    if (type === VIEW_MESSAGE.awareness || type === VIEW_MESSAGE.queryAwareness) return 'dropped'
    if (type !== VIEW_MESSAGE.sync) return undefined
    const step = decoding.readVarUint(decoder)
    if (step === messageYjsSyncStep2 || step === messageYjsUpdate) return 'dropped'
    return step === messageYjsSyncStep1 ? decoding.readVarUint8Array(decoder) : undefined
  } catch {
    // Ends too early, or has a number that is too long.
    return undefined
  }
}

/** The answer to a sync step 1. */
export function syncStep2Message (update: Uint8Array): Uint8Array {
  return syncMessage(messageYjsSyncStep2, update)
}

/** A change. */
export function updateMessage (update: Uint8Array): Uint8Array {
  return syncMessage(messageYjsUpdate, update)
}

function syncMessage (step: number, update: Uint8Array): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, VIEW_MESSAGE.sync)
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, update)
  })
}
