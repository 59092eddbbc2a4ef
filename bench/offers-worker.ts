import { parentPort, workerData } from 'node:worker_threads'
import { createSeededRandom } from '../src/core/random.ts'
import { encodeRecord } from '../src/wire/record.ts'
import { slotAt } from '../src/wire/shard.ts'
import { jobBody, offerBody, signRecord, testSigner } from '../test/support/records.ts'
import { packRecords, type OfferSpec } from './offers.ts'

/** Records are spread over this long before now: younger than their class's life, so that none ends while a benchmark runs. */
const SPREAD_MS = 30 * 60_000

const { count, authors, seed, nowMs, firstAuthor = 0, twoShards = false, from, to } = workerData as OfferSpec & { from: number, to: number }
const records: Uint8Array[] = []
for (let index = from; index < to; index++) {
  // By record, not by thread: the number of threads changes nothing.
  const random = createSeededRandom(seed * 1_000_003 + index)
  const seq = nowMs - Math.floor(SPREAD_MS * (count - index) / count) + random.below(1000) - 1000
  const validUntil = seq + 3_600_000
  const cpuMilli = 100 * (1 + random.below(160))
  const memoryMiB = 64 * (1 + random.below(512))
  const isJob = index % 2 === 0
  const hasGpus = twoShards && index % 4 >= 2
  const body = isJob
    ? jobBody({ gpus: hasGpus ? [{ models: [], vramMiB: 1024 * (1 + random.below(80)), shareBp: 10_000 }] : [], jobNumber: index, resources: { cpuMilli, memoryMiB, diskMiB: random.below(10_000) }, limit: 1 + random.below(1_000_000_000), runSeconds: 1 + random.below(3600), validUntil, deadline: validUntil })
    : offerBody({ gpus: hasGpus ? [{ model: `model-${random.below(20)}`, vramMiB: 81_920, shareBp: 10_000, secondAsk: random.below(1000) }] : [], unit: `unit-${index}`, capacity: { cpuMilli, memoryMiB, diskMiB: random.below(100_000) }, ask: { base: random.below(1000), cpuMilliSecond: random.below(100), memoryMiBSecond: random.below(100), diskMiBSecond: random.below(10) }, validUntil })
  const signer = testSigner(firstAuthor + index % authors)
  records.push(encodeRecord(signRecord(signer, isJob ? 'job' : 'offer', { slot: slotAt(hasGpus ? 1 : 0, Math.floor(index / authors)), seq, body })))
}
const packed = packRecords(records)
parentPort?.postMessage(packed, [packed.buffer])
