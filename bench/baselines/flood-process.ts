import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createSystemClock } from '../../src/core/clock.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createMesh } from '../../src/mesh/mesh.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import { encodeBatch } from '../../src/wire/record-batch.ts'
import { encodeRecord } from '../../src/wire/record.ts'
import { recordsTopic } from '../../src/wire/topics.ts'
import { DOMAIN, signRecord, testSigner } from '../../test/support/records.ts'

/**
 * A peer that floods: `FOLDER ADDRESS MESSAGES_PER_SECOND SECONDS KIND`. Connects to the address, waits for a line on stdin, then
 * sends, and connects again a second after it was cut off. KIND `bad`: records with a wrong signature, which are REJECTed; `foreign`:
 * batches of another deployment, which are IGNOREd and never punished. Prints `{ peerId }`, then `{ sent }`.
 */
const [folder = '', address = '', rate = '1000', seconds = '20', kind = 'bad'] = process.argv.slice(2)
const EVERY_MS = 10
/** Sooner it would measure handshakes. */
const AGAIN_MS = 1_000
const topic = recordsTopic(DOMAIN.chainId, 0)
const datastore = createDatastore({ logger }, { path: join(folder, 'datastore') })
await datastore.start()
const mesh = createMesh({ datastore, logger, clock: createSystemClock(), random: createSystemRandom() }, { network: String(DOMAIN.chainId), topics: [topic], targetPeers: 0 })
mesh.topics.subscribe(topic, { maxBytes: 65_536, validate: () => 'ignore' })
await mesh.start()
await mesh.connect(address, { signal: AbortSignal.timeout(20_000) })

/** Of this minute, so that nothing but the signature is wrong with it. */
const record = signRecord(testSigner(666), 'job', { slot: 8_191, seq: Date.now() })
const domain = kind === 'foreign' ? { ...DOMAIN, chainId: 1 } : DOMAIN
const say = (line: object): void => { process.stdout.write(`${JSON.stringify(line)}\n`) }
say({ peerId: mesh.peerId })
await new Promise((resolve) => { process.stdin.once('data', resolve) })

const total = Number(rate) * Number(seconds)
const started = performance.now()
let made = 0
let sent = 0
let dialling: Promise<unknown> | undefined
while (made < total) {
  const due = Math.min(total, Math.floor((performance.now() - started) * Number(rate) / 1000))
  for (; made < due; made++) {
    if (mesh.peers().length === 0) continue
    await mesh.topics.publish(topic, encodeBatch(domain, [encodeRecord({ ...record, slot: made % 8_000, seq: record.seq - Math.floor(made / 8_000) })]))
    sent++
  }
  if (mesh.peers().length === 0) dialling ??= mesh.connect(address, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined).then(async () => { await delay(AGAIN_MS) }).finally(() => { dialling = undefined })
  await delay(EVERY_MS)
}
say({ sent })
process.exit(0)
