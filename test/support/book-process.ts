// One node with a real mesh and a book, driven by lines on stdin, answering with JSON lines on stdout.
// argv: folder, number of the signing key. Commands: `connect ADDRESS`, `publish COUNT`, `ids`, `status`, `stop`.
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createAuthor } from '../../src/book/author.ts'
import { createBookReplica } from '../../src/book/replica.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSystemRandom } from '../../src/core/random.ts'
import { createMesh } from '../../src/mesh/mesh.ts'
import { createDatastore } from '../../src/store/datastore.ts'
import { DOMAIN, jobBody, testSigner } from './records.ts'

const [folder = '', key = '0'] = process.argv.slice(2)
const clock = createSystemClock()
const datastore = createDatastore({ logger: silentLogger }, { path: join(folder, 'datastore') })
const mesh = createMesh({ datastore, logger: silentLogger, clock }, { network: String(DOMAIN.chainId), topics: [`/lily/records/1/${DOMAIN.chainId}`] })
const replica = createBookReplica({ mesh, datastore, clock, logger: silentLogger, domain: DOMAIN, random: createSystemRandom() }, { secret: new Uint8Array(32) })
const author = createAuthor({ signer: testSigner(Number(key)), datastore, clock }, { domain: DOMAIN })
const say = (line: unknown): void => { process.stdout.write(`${JSON.stringify(line)}\n`) }

await datastore.start()
await author.start()
// The book before the mesh: a restarted node knows its records before it meets anyone.
await replica.start()
const loaded = replica.book.size
await mesh.start()
replica.book.onChange(() => { say({ event: 'change', size: replica.book.size }) })
say({ event: 'ready', address: mesh.addresses()[0], loaded })

const publish = async (): Promise<void> => {
  await replica.publish(await author.put('job', author.freeSlot(), jobBody({ validUntil: clock.now() + 600_000, deadline: clock.now() + 600_000 })))
}
const commands: Record<string, (argument: string) => Promise<void>> = {
  connect: async (address) => { await mesh.connect(address, { signal: AbortSignal.timeout(10_000) }) },
  publish: async (count) => { for (let n = 0; n < Number(count); n++) await publish() },
  ids: async () => { say({ event: 'ids', ids: replica.book.ids().sort() }) },
  status: async () => { say({ event: 'status', ...replica.status() }) },
  stop: async () => {
    await replica.stop()
    await mesh.stop()
    await datastore.stop()
    say({ event: 'stopped' })
    process.exit(0)
  }
}
for await (const line of createInterface({ input: process.stdin })) {
  const [name = '', argument = ''] = line.split(' ')
  await commands[name]?.(argument)
  if (name !== 'ids' && name !== 'status') say({ event: 'done', name })
}
