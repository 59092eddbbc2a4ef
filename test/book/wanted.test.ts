import t from 'tap'
import { createWanted } from '../../src/book/wanted.ts'
import type { Hash } from '../../src/wire/shapes.ts'

const id = (index: number): Hash => `0x${String(index).padStart(64, '0')}`
const ids = (from: number, to: number): Hash[] => Array.from({ length: to - from }, (_, at) => id(from + at))

t.test('pages are full while more may come; then the rest is given, and what is added after the end', async (t) => {
  const wanted = createWanted(3)
  t.equal(wanted.take(), undefined)
  wanted.add(ids(0, 2))
  t.equal(wanted.take(), undefined, 'not full yet')
  wanted.add(ids(2, 7))
  t.same([wanted.take(), wanted.take(), wanted.take()], [ids(0, 3), ids(3, 6), undefined])
  wanted.end()
  t.same([wanted.take(), wanted.take()], [ids(6, 7), undefined])
  wanted.add(ids(7, 8))
  t.same(wanted.take(), ids(7, 8), 'what a page left out is asked for again')
})

t.test('who waits is told when ids come, and at the end', async (t) => {
  const wanted = createWanted(2)
  const told: string[] = []
  const first = wanted.more().then(() => { told.push('ids') })
  t.same(told, [])
  wanted.add(ids(0, 1))
  await first
  const second = wanted.more().then(() => { told.push('end') })
  t.notOk(wanted.isEnded)
  wanted.end()
  await second
  t.ok(wanted.isEnded)
  t.same(told, ['ids', 'end'])
})
