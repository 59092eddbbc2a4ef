import t from 'tap'
import { COMMON_SHARD, recordShard, slotAt } from '../../src/wire/shard.ts'
import { recordsTopic } from '../../src/wire/topics.ts'
import type { SignedRecord } from '../../src/wire/record.ts'
import { DOMAIN, GPU_JOB, signRecord, testSigner } from '../support/records.ts'
import { befriend, soon, startClock, startHonest, until, type Honest } from './attacks/attacker.ts'

const shardsOf = ({ replica }: Honest): number[] => [...new Set([...replica.book.members()].map(({ record }) => recordShard(record)))].sort((a, b) => a - b)
const rowOf = (one: Honest, other: Honest): unknown => one.replica.status().peers.find(({ peerId }) => peerId === other.mesh.peerId)

t.test('three real hosts, one for GPUs only, one for the rest of the default market only, one for all: each holds exactly its shards, and says so', async (t) => {
  const clock = startClock(t)
  const start = async (shards: number[]): Promise<Honest> => await startHonest(t, { clock, book: { shards: [...shards, COMMON_SHARD] } })
  const [all, cpu, gpu] = await Promise.all([start([0, 1]), start([0]), start([1])])
  const made = (key: number, place = 0): [SignedRecord, SignedRecord, SignedRecord] => {
    const seq = clock.now()
    return [signRecord(testSigner(key), 'job', { slot: place, seq }), signRecord(testSigner(key), 'job', { slot: slotAt(1, place), seq, body: GPU_JOB }), signRecord(testSigner(key), 'module', { seq })]
  }
  for (const record of made(1)) await all.replica.publish(record)

  const common = recordsTopic(DOMAIN.chainId, COMMON_SHARD)
  await befriend(cpu.mesh, all.mesh, common)
  await befriend(gpu.mesh, all.mesh, common)
  await befriend(cpu.mesh, gpu.mesh, common)
  await until('both have what was there before them', () => cpu.replica.book.size === 2 && gpu.replica.book.size === 2)

  // The first two go through the node that follows all; the module reaches everybody.
  const [cpuJob, gpuJob, module] = made(2)
  await cpu.replica.publish(cpuJob)
  await gpu.replica.publish(gpuJob)
  await gpu.replica.publish(module)
  await until('everybody has its own', () => all.replica.book.size === 6 && cpu.replica.book.size === 4 && gpu.replica.book.size === 4)
  t.strictSame([all, cpu, gpu].map(shardsOf), [[0, 1, COMMON_SHARD], [0, COMMON_SHARD], [1, COMMON_SHARD]])
  t.ok([all, cpu, gpu].every(({ verdicts }) => verdicts.every(({ verdict }) => verdict !== 'reject')))

  await all.replica.reconcileNow(cpu.mesh.peerId, soon())
  await cpu.replica.reconcileNow(all.mesh.peerId, soon())
  await cpu.replica.reconcileNow(gpu.mesh.peerId, soon())
  t.match(rowOf(all, cpu), { equal: true, records: 4, unshared: [1] })
  t.match(rowOf(cpu, all), { equal: true, records: 4, unshared: [] })
  t.match(rowOf(cpu, gpu), { equal: true, records: 2, unshared: [0] })
  await t.rejects(cpu.replica.publish(made(3)[1]), { code: 'BOOK_NOT_ADMITTED', data: { code: 'BOOK_SHARD' } })
})
