import t from 'tap'
import { isLivingKey, lostEntries, mergeEntries, PRICE_KEY, priceKey, stateKey, type Entries, type SharedValue } from '../../src/fleet/entries.ts'
import { memberSigner } from '../support/fleets.ts'

const [one, two, three] = [1, 2, 3].map((n) => memberSigner(n).address) as [`0x${string}`, `0x${string}`, `0x${string}`]
const isMember = (operator: string): boolean => operator !== three
const at = (time: number, value: SharedValue): Entries => new Map([[PRICE_KEY, { at: time, value }]])

t.test('of two entries of one time the same one counts, whoever holds it', (t) => {
  for (const [a, b] of [[8000, 9000], [9000, 8000]] as const) {
    t.equal(mergeEntries([[one, at(1, a)], [two, at(1, b)]], isMember).get(PRICE_KEY)?.value, 9000)
  }
  t.equal(mergeEntries([[one, at(2, 8000)], [two, at(1, 9000)]], isMember).get(PRICE_KEY)?.value, 8000, 'else the later')
  t.equal(mergeEntries([[one, at(2, null)], [two, at(1, 9000)]], isMember).get(PRICE_KEY)?.value, null, 'also to take a price back')
  t.end()
})

t.test('entries count for nodes of the roster only', (t) => {
  t.same([PRICE_KEY, priceKey(one), stateKey(two)].map((key) => isLivingKey(key, isMember)), [true, true, true])
  t.same([priceKey(three), stateKey(three), 'inventory', 'price/', 'state'].map((key) => isLivingKey(key, isMember)), [false, false, false, false, false])
  t.end()
})

t.test('what would be lost is what counted and is older or absent now', (t) => {
  const of = (entries: Entries): ReturnType<typeof mergeEntries> => mergeEntries([[one, entries]], isMember)
  t.same([...lostEntries(of(at(2, 8000)), of(new Map()), isMember)], [[PRICE_KEY, { at: 2, value: 8000 }]])
  t.same([...lostEntries(of(at(2, 8000)), of(at(1, 9000)), isMember)], [[PRICE_KEY, { at: 2, value: 8000 }]])
  t.same([...lostEntries(of(at(2, 8000)), of(at(3, 9000)), isMember)], [])
  t.same([...lostEntries(of(new Map([[stateKey(one), { at: 1, value: 'drain' }]])), of(new Map()), () => false)], [], 'nothing of a node that has left')
  t.end()
})
