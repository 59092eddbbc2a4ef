import { join } from 'node:path'
import t from 'tap'
import { providerFacts, providerPolicy, readRoster } from '../../src/node/fleet.ts'
import { createCapacityLedger } from '../../src/roles/provider/capacity.ts'
import { inventoryShape } from '../../src/wire/fleet.ts'
import { hash } from '../deal/deals.ts'
import { cardOf, rosterOf } from '../support/fleets.ts'

const reference = { base: 1000, cpuMilliSecond: 100, memoryMiBSecond: 10, diskMiBSecond: 1 }

t.test('a provider asks what its fleet says, else what it was told, else nine tenths', async (t) => {
  let bp: number | undefined
  let open = true
  const policy = providerPolicy({ isOpen: () => open, askBp: () => bp }, { reference, askFactor: 1.5 })
  t.same([policy.ask(), policy.askBp()], [{ base: 1528, cpuMilliSecond: 150, memoryMiBSecond: 15, diskMiBSecond: 2 }, 15_000])
  bp = 8000
  t.same([policy.ask(), policy.askBp()], [{ base: 807, cpuMilliSecond: 80, memoryMiBSecond: 8, diskMiBSecond: 1 }, 8000])
  bp = undefined
  t.equal(providerPolicy({ isOpen: () => open, askBp: () => bp }, { reference, askFactor: undefined }).ask().base, 906)
  open = false
  t.equal(policy.isOpen(), false)
})

t.test('what it says of itself is what its ledger and its deals say', async (t) => {
  const ledger = createCapacityLedger({ cpuMilli: 4000, memoryMiB: 4000, diskMiB: 4000 }, [{ name: 'a', share: 0.5 }, { name: 'b', share: 0.5 }])
  ledger.reserve(hash(1), 'a', { cpuMilli: 500, memoryMiB: 100, diskMiB: 0 })
  const facts = providerFacts({ roles: ['resource-provider'] }, { ledger, deals: { open: () => [1, 2] } as never, policy: { askBp: () => 9000 } })
  t.match(facts, { roles: ['resource-provider'], openDeals: 2, askBp: 9000, units: [{ name: 'a', total: { cpuMilli: 2000 }, free: { cpuMilli: 1500 } }, { name: 'b', free: { cpuMilli: 2000 } }] })
  t.ok(inventoryShape.safeParse({ ...facts, state: 'open' }).success, 'and is of the shape that others take')
})

t.test('a roster file is read as it was written, and anything else named', async (t) => {
  const roster = rosterOf([cardOf(1)])
  const folder = t.testdir({ 'fleet.json': JSON.stringify(roster), 'more.json': JSON.stringify({ ...roster, more: 1 }), 'text.json': 'fleet' })
  t.same(await readRoster(join(folder, 'fleet.json')), roster)
  for (const name of ['more.json', 'text.json', 'none.json']) await t.rejects(readRoster(join(folder, name)), { code: 'FLEET_ROSTER', data: { path: join(folder, name) } }, name)
})
