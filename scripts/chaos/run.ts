import { setTimeout as delay } from 'node:timers/promises'
import type { Fleet, Statement } from './fleet.ts'
import type { Step } from './schedule.ts'

/** What came of a schedule. `newest`: by account and slot, the last statement whose `publish` resolved. */
export interface Run { readonly acknowledged: number, readonly unanswered: number, readonly newest: ReadonlyMap<string, Statement> }

/** Carries a schedule out; what takes longer than the time to the next step runs on beside it. Throws what no kill explains. */
export async function runSchedule (fleet: Fleet, steps: readonly Step[], tell: (text: string) => void): Promise<Run> {
  const newest = new Map<string, Statement>()
  const state = { acknowledged: 0, unanswered: 0 }
  const underWay = new Set<Promise<void>>()
  const faults: unknown[] = []
  // A node is killed and started one after the other, however long either takes.
  const turns = new Map<number, Promise<void>>()
  const started = performance.now()

  const track = (work: Promise<void>): Promise<void> => {
    const mine = work.catch((error: unknown) => { faults.push(error) }).finally(() => { underWay.delete(mine) })
    underWay.add(mine)
    return mine
  }
  const inTurn = (node: number, work: () => Promise<void>): void => { turns.set(node, track((turns.get(node) ?? Promise.resolve()).then(work))) }
  const acknowledge = async (node: number, command: string): Promise<void> => {
    const answer = await fleet.tell(node, command)
    if (answer === undefined) {
      state.unanswered++
      return
    }
    state.acknowledged++
    const statement = answer as unknown as Statement
    const register = `${statement.account} ${statement.slot}`
    if ((newest.get(register)?.seq ?? -1) < statement.seq) newest.set(register, statement)
  }
  const perform = (step: Step): void => {
    if (step.do === 'put' || step.do === 'cancel') {
      void track(acknowledge(step.node, `${step.do} ${step.slot}`))
    } else if (step.do === 'kill') {
      inTurn(step.node, async () => { await fleet.kill(step.node) })
    } else if (step.do === 'start') {
      inTurn(step.node, async () => { await fleet.start(step.node) })
    } else {
      void track(step.do === 'part' ? fleet.part(step.side) : fleet.heal())
    }
  }
  for (const step of steps) {
    await delay(Math.max(0, started + step.atMs - performance.now()))
    if (faults.length > 0) break
    if (step.do !== 'put' && step.do !== 'cancel') tell(`${(step.atMs / 1000).toFixed(1).padStart(7)} s  ${describe(step)}`)
    // What crossed the cut would make the partition a weaker one than it says.
    if (step.do === 'heal') await assertParted(fleet, steps)
    perform(step)
  }
  while (underWay.size > 0) await Promise.all(underWay)
  if (faults.length > 0) throw faults[0]
  return { ...state, newest }
}

function describe (step: Step): string {
  if (step.do === 'part') return `partition: ${step.side.join(' ')} | the rest`
  if (step.do === 'heal') return 'heal'
  return 'slot' in step ? `${step.do} ${step.node} slot ${step.slot}` : `${step.do} ${step.node}`
}

async function assertParted (fleet: Fleet, steps: readonly Step[]): Promise<void> {
  const side = new Set(steps.flatMap((step) => step.do === 'part' ? step.side : []))
  const numbers = Array.from({ length: fleet.size }, (_, number) => number)
  const sideOf = new Map(numbers.flatMap((number) => {
    const peerId = fleet.node(number)?.peerId
    return peerId === undefined ? [] : [[peerId, side.has(number)] as const]
  }))
  for (const number of numbers) {
    const answer = await fleet.tell(number, 'peers')
    const across = (answer?.['peers'] as Array<{ peerId: string }> | undefined)?.find(({ peerId }) => sideOf.get(peerId) === !side.has(number))
    if (across !== undefined) throw new Error(`the partition leaks: node ${number} is connected to ${across.peerId}`)
  }
}
