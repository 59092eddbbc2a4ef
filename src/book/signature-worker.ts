import { parentPort } from 'node:worker_threads'
import { verifyClaims } from '../wire/signature.ts'

/** A thread that checks signatures and nothing else: packed claims in, one byte per claim out, in order. */
parentPort?.on('message', (packed: Uint8Array) => {
  const verdicts = verifyClaims(packed)
  parentPort?.postMessage(verdicts, [verdicts.buffer])
})
