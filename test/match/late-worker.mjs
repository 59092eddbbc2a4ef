import { BroadcastChannel, parentPort, threadId } from 'node:worker_threads'

// A search that answers at once, or where its seed is 1 when it is told to; says which thread it is in the place of its rounds.
const channel = new BroadcastChannel('late-worker')
const answer = () => { parentPort.postMessage({ found: { places: new Int32Array(0), worth: 0, prices: new Float64Array(0), bound: 1, rounds: threadId }, done: true }) }
channel.onmessage = ({ data }) => {
  if (data === 'answer') answer()
  channel.postMessage(threadId)
}
parentPort.on('message', ({ seed }) => {
  if (seed === 1) channel.postMessage(threadId)
  else answer()
})
