import t from 'tap'
import { bookText } from '../../src/cli/commands/network.ts'

const AT = new Date(2026, 0, 1, 12, 3, 10).getTime()
const row = { equal: true, missing: 0, extra: 0, records: 100_000, differing: [], unshared: [], atMs: AT }

t.test('lilynode peers says in one line how a peer\'s book compares', async (t) => {
  t.equal(bookText(row), 'equal at 12:03:10, 100,000 records')
  t.equal(bookText({ ...row, unshared: ['default/gpu', 'render/cpu'] }), 'equal at 12:03:10, 100,000 records; not shared: default/gpu, render/cpu')
  t.equal(bookText({ ...row, equal: false, missing: 3, records: 1, differing: ['default/cpu'] }), 'differed at 12:03:10 in default/cpu: 3 missing here, 0 there, of 1 record')
  t.equal(bookText({ ...row, equal: false, extra: 2 }), 'differed at 12:03:10: 0 missing here, 2 there, of 100,000 records')
})
