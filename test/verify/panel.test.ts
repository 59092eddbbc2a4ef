import t from 'tap'
import { drawPanel, isDecided, neededVerdicts } from '../../src/verify/panel.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { hash } from '../deal/deals.ts'

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const list = { mediators: [1, 2, 3, 4].map(account), weights: [1, 1, 1, 1] }

t.test('enough that agree decide, and nobody missing does; terms ask for one to four', (t) => {
  const panel = { needed: 2, seats: 3 }
  t.same([[], [1], [1, 2], [2, 2], [1, 2, 3], [1, 2, 1]].map((outcomes) => isDecided(outcomes, panel)), [false, false, false, true, true, true])
  t.notOk(isDecided([], { needed: 1, seats: 0 }), 'nobody sits')
  t.same([0, 1, 4, 9].map((verdicts) => neededVerdicts({ verdicts })), [1, 1, 4, 4])
  t.end()
})

t.test('nobody sits twice, who is not live is passed over, and fewer sit where fewer are', (t) => {
  for (let seed = 1; seed < 40; seed++) {
    const panel = drawPanel(hash(seed), list, 3, (mediator) => mediator !== account(2))
    t.same([...panel].sort(), [1, 3, 4].map(account))
  }
  t.equal(drawPanel(hash(1), list, 7, () => true).length, 4)
  t.same(drawPanel(hash(1), list, 3, () => false), [])
  t.end()
})
