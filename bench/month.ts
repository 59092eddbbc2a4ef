import { isOver } from '../src/api/routes.ts'
import { startTestChain } from '../test/support/chain.ts'
import { createJumpingClock } from './month/clock.ts'
import { openTown, type TownNode, type TownOptions } from './month/town.ts'
import { createTransactionCount } from './month/transactions.ts'
import { atMost, reported, type Bench } from './figure.ts'

const DAYS = 30
const DAY_SECONDS = 86_400
const LILY = 1_000_000_000
/** Some fifty jobs: half of it goes to the session, which is filled up again before the month is over. */
const DEPOSIT = 3 * LILY
const JOB = { runSeconds: 60, cpuMilli: 1000, memoryMiB: 64, diskMiB: 16, inputs: {}, maxPrice: 100_000_000 }
/** Lilypad's published flow, not run here. */
const LILYPAD_A_JOB = 4
/** A session's notice, and some. */
const NOTICE_SECONDS = 660
/** A month takes a minute. */
const LIMIT_MS = 300_000
const BESIDE: readonly string[] = ['deposit', 'withdraw']

/** `opens`: what a deal's first transaction is, so that each is known to have gone its way. */
const CREATORS: ReadonlyArray<{ name: string, options: TownOptions, opens: string }> = [
  { name: 'creator', options: {}, opens: 'commit' },
  { name: 'own hand', options: { handsOn: false }, opens: 'commit' },
  { name: 'direct', options: { direct: true }, opens: 'opened' }
]

/** Transactions that creators send in a month of one job a day: the real contracts, the roles as nodes start them, and time that jumps from day to day. */
export const benchMonth: Bench = async ({ progress, quick }) => {
  const days = quick ? 3 : DAYS
  const chain = await startTestChain({ parameters: { unbondSeconds: 7 * 86_400 } })
  const town = await openTown(chain, createJumpingClock())
  const signal = AbortSignal.timeout(LIMIT_MS)
  try {
    await town.open('solver', 'solver', { stake: 100 * LILY })
    await town.open('provider', 'resource-provider', { deposit: 500 * LILY })
    const creators = await Promise.all(CREATORS.map(async ({ name, options }) => await town.open(name, 'creator', { deposit: DEPOSIT, ...options })))
    const count = createTransactionCount(chain)
    for (let day = 1; day <= days; day++) {
      const startedMs = performance.now()
      await Promise.all(creators.map(async (creator, index) => {
        const names = await runJob(creator, town.module, signal)
        if (names[0] !== CREATORS[index]?.opens) throw new Error(`on day ${day} the deal of ${CREATORS[index]?.name} went by ${names.join(', ')}`)
      }))
      if (day % 10 === 0) progress(`day ${day}`)
      await town.pass(DAY_SECONDS - Math.round((performance.now() - startedMs) / 1000))
    }
    for (const { facade } of creators.slice(0, 2)) await facade.changeSession('end')
    await town.pass(NOTICE_SECONDS)
    for (const { facade } of creators) await takeAll(facade)
    await count.read()
    const [creator = [], ownHand = [], direct = []] = await Promise.all(creators.map(async ({ account }) => await count.of(account)))
    const carried = count.carriedFor(creators[0]?.account ?? '0x')
    for (const [name, sent] of Object.entries({ creator, carried, ownHand, direct })) progress(`${name}: ${sent.join(', ')}`)
    const beside = (names: readonly string[]): number => names.filter((name) => !BESIDE.includes(name)).length
    return [
      atMost(`transactions of a creator beside deposit and withdrawal, ${days} daily jobs`, beside(creator), 0, 'tx', { name: 'the same node when it hands nothing on, this run', value: beside(ownHand) }),
      reported('transactions of it in all', creator.length, 'tx', { name: `Lilypad as published, ${LILYPAD_A_JOB} a job, not run here`, value: LILYPAD_A_JOB * days }),
      reported('the same, each deal by itself (--direct)', beside(direct), 'tx'),
      reported('transactions that solvers carried for it', carried.length, 'tx')
    ]
  } finally {
    await town.stop()
    await chain.stop()
  }
}

/** Names of its deal's transactions. */
async function runJob ({ facade }: TownNode, module: string, signal: AbortSignal): Promise<string[]> {
  const { id } = await facade.submit({ ...JOB, module })
  return await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Error(`job ${id} is ${facade.job(id).state}`)) })
    facade.watch(id, (job) => {
      if (!isOver(job) || job.settledAtMs === undefined) return
      if (job.state === 'ResultsAccepted') resolve(job.deals.flatMap(({ transactions }) => transactions.map(({ name }) => name)))
      else reject(new Error(`job ${id} ended ${job.state}`))
    })
  })
}

/** What the Vault holds for it, once the session's money has come back. */
async function takeAll (facade: TownNode['facade']): Promise<void> {
  let balance = await facade.balance()
  while (balance.session > 0) {
    await new Promise((resolve) => { setTimeout(resolve, 50) })
    balance = await facade.balance()
  }
  await facade.withdraw(balance.free)
  const { free, locked } = await facade.balance()
  if (free + locked > 0) throw new Error(`${free} nLILY free and ${locked} locked are left`)
}
