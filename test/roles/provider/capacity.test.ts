import t from 'tap'
import { createCapacityLedger, measureMachine, sharesOf } from '../../../src/roles/provider/capacity.ts'
import { hash } from '../../deal/deals.ts'

const MACHINE = { cpuMilli: 1000, memoryMiB: 1000, diskMiB: 1000 }
const demand = (cpuMilli: number): typeof MACHINE => ({ cpuMilli, memoryMiB: 1, diskMiB: 1 })

t.test('units share what was measured and cannot exceed it', (t) => {
  const ledger = createCapacityLedger(MACHINE, [{ name: 'a', share: 0.25 }, { name: 'b', share: 0.75 }])
  t.same(ledger.free('a'), { cpuMilli: 250, memoryMiB: 250, diskMiB: 250 })
  t.same(ledger.free('nowhere'), { cpuMilli: 0, memoryMiB: 0, diskMiB: 0 })
  for (const shares of [[{ name: 'a', share: 1.1 }], [{ name: 'a', share: 0.6 }, { name: 'b', share: 0.5 }], [{ name: 'a', share: 0 }], []]) t.throws(() => createCapacityLedger(MACHINE, shares), { code: 'ROLE_BAD_UNITS' })
  t.end()
})

t.test('what is promised is not promised again until it is released', (t) => {
  const ledger = createCapacityLedger(MACHINE, [{ name: 'a', share: 1 }])
  t.equal(ledger.reserve(hash(1), 'a', demand(700)), true)
  t.equal(ledger.reserve(hash(1), 'a', demand(700)), true, 'the same deal once more')
  t.equal(ledger.reserve(hash(2), 'a', demand(400)), false)
  t.equal(ledger.free('a').cpuMilli, 300)
  ledger.release(hash(1))
  t.equal(ledger.reserve(hash(2), 'a', demand(400)), true)
  t.end()
})

t.test('who offers the machine on another network is told when what is free changes, and only then', (t) => {
  const ledger = createCapacityLedger(MACHINE, [{ name: 'a', share: 1 }])
  const seen: number[] = []
  const unfollow = ledger.onChange(() => { seen.push(ledger.free('a').cpuMilli) })
  for (const deal of [1, 1, 2]) ledger.reserve(hash(deal), 'a', demand(700))
  for (const deal of [1, 1, 2]) ledger.release(hash(deal))
  unfollow()
  ledger.reserve(hash(3), 'a', demand(700))
  t.same(seen, [300, 1000])
  t.end()
})

t.test('shares of a GPU are promised once; a unit has the GPUs that are named for it', (t) => {
  const gpu = { model: 'a100', vramMiB: 40_960, shareBp: 10_000, secondAsk: 100 }
  const ledger = createCapacityLedger(MACHINE, [{ name: 'a', share: 0.5, gpus: [gpu, { ...gpu, shareBp: 4000 }] }, { name: 'b', share: 0.5 }])
  const free = (): number[] => ledger.gpus('a').map(({ shareBp }) => shareBp)
  const two = sharesOf({ gpus: [{ models: [], vramMiB: 0, shareBp: 6000 }, { models: [], vramMiB: 0, shareBp: 3000 }] }, [0, 1])
  t.same([free(), ledger.gpus('b'), ledger.gpus('nowhere')], [[10_000, 4000], [], []])
  t.equal(ledger.reserve(hash(1), 'a', demand(1), two), true)
  t.equal(ledger.reserve(hash(1), 'a', demand(1), two), true, 'the same deal once more')
  t.same(free(), [4000, 1000])
  t.equal(ledger.reserve(hash(2), 'a', demand(1), two), false, 'neither device has room')
  t.equal(ledger.reserve(hash(2), 'a', demand(1), [{ place: 2, shareBp: 1 }]), false, 'no such device')
  t.equal(ledger.reserve(hash(2), 'b', demand(1), [{ place: 0, shareBp: 1 }]), false)
  t.same(ledger.free('a').cpuMilli, 499, 'what was refused holds nothing')
  ledger.release(hash(1))
  t.same(free(), [10_000, 4000])
  t.end()
})

t.test('the machine is measured, with room left for the system', async (t) => {
  const machine = await measureMachine('.')
  t.ok(machine.cpuMilli >= 1000 && machine.memoryMiB > 0 && machine.diskMiB >= 0)
})
