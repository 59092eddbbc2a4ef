// A worker that takes programs and never answers, as javascript-lp-solver does on hard ones. Says on a channel when it is busy.
import { BroadcastChannel, parentPort } from 'node:worker_threads'

parentPort.on('message', () => {
  new BroadcastChannel('stuck-worker').postMessage('busy')
  for (;;);
})
