import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadDelegation } from '../../src/identity/delegation-file.ts'
import type { Delegation } from '../../src/wire/delegation.ts'
import { delegate, DOMAIN, T0, testSigner } from '../support/records.ts'

const account = testSigner(1)
const operator = testSigner(2).address
const good = delegate(account, operator)
const expected = { domain: DOMAIN, operator, peerId: good.peerId, nowSeconds: T0 / 1000 }

t.test('a delegation of its account to this node is taken as it is', async (t) => {
  const path = join(t.testdir(), 'delegation.json')
  await writeFile(path, JSON.stringify(good))
  t.same(await loadDelegation(path, expected), good)
})

t.test('anything else is refused, with the field that is wrong', async (t) => {
  const folder = t.testdir()
  const cases: ReadonlyArray<[name: string, text: string, change: Partial<typeof expected>, data: Record<string, unknown>]> = [
    ['no JSON', 'delegation = yes', {}, {}],
    ['a field too many', JSON.stringify({ ...good, extra: 1 }), {}, {}],
    ['another operator', JSON.stringify(good), { operator: testSigner(3).address }, { operator: testSigner(3).address }],
    ['another peer', JSON.stringify(good), { peerId: 'other' }, { peerId: 'other' }],
    ['not yet in force', JSON.stringify(good), { nowSeconds: good.notBefore - 1 }, { notBefore: good.notBefore }],
    ['no longer in force', JSON.stringify(good), { nowSeconds: good.expiry }, { expiry: good.expiry }],
    ['another deployment', JSON.stringify(good), { domain: { ...DOMAIN, chainId: 1 } }, { account: account.address }],
    ['more roles than were signed for', JSON.stringify({ ...good, roles: 1 } satisfies Delegation), {}, { account: account.address }],
    ['signed by the operator itself', JSON.stringify({ ...delegate(testSigner(2), operator), account: account.address }), {}, { account: account.address }],
    ['a signature that is none', JSON.stringify({ ...good, signature: `0x${'f'.repeat(128)}` }), {}, { account: account.address }]
  ]
  for (const [name, text, change, data] of cases) {
    const path = join(folder, 'delegation.json')
    await writeFile(path, text)
    await t.rejects(loadDelegation(path, { ...expected, ...change }), { code: 'IDENTITY_DELEGATION', data }, name)
  }
  await t.rejects(loadDelegation(join(folder, 'nowhere.json'), expected), { code: 'IDENTITY_DELEGATION' }, 'no file')
})
