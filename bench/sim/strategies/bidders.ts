import { isThin } from '../../../src/match/class-price.ts'
import { DEFAULT_AUCTION_RULES as AUCTION, DEFAULT_MATCH_RULES as RULES } from '../../../src/match/options.ts'
import { tickFor } from '../../../src/match/ticks.ts'
import type { ResourceOffer } from '../../../src/wire/resource-offer.ts'
import { creatorsOf, isCpu, membersOf, providerOf, replaceJobs, replaceUnits, some, type Strategy } from '../strategy.ts'
import type { Job, Unit, World } from '../world.ts'

const percent = (amount: number, by: number): number => Math.floor(amount * by / 100)

function shade (by: number): Strategy {
  return {
    name: `creators bid ${by} % less`,
    play: (world) => {
      const own = creatorsOf(world)
      return { members: membersOf(...own), world: replaceJobs(world, (job) => [own.includes(job) ? { ...job, offer: { ...job.offer, limit: percent(job.value, 100 - by) } } : job]) }
    }
  }
}

function dearer (offer: ResourceOffer, by: number): ResourceOffer {
  const up = (price: number): number => tickFor(percent(price, 100 + by))
  const { base, cpuMilliSecond, memoryMiBSecond, diskMiBSecond } = offer.ask
  return {
    ...offer, ask: { base: up(base), cpuMilliSecond: up(cpuMilliSecond), memoryMiBSecond: up(memoryMiBSecond), diskMiBSecond: up(diskMiBSecond) },
    gpus: offer.gpus.map((gpu) => ({ ...gpu, secondAsk: up(gpu.secondAsk) }))
  }
}

function inflate (by: number): Strategy {
  return { name: `provider asks ${by} % more`, known: 'thin market: among 40 machines one seller moves the prices', play: (world) => inflated(world, providerOf(world), by) }
}

function inflated (world: World, own: Unit, by: number): ReturnType<Strategy['play']> {
  return { members: membersOf(own), world: replaceUnits(world, (unit) => [unit === own ? { ...unit, offer: dearer(unit.offer, by) } : unit]) }
}

/** Machines with GPUs of a model that too few accounts offer or want for a price of its own. */
export function thinUnits (world: World): Unit[] {
  const snapshot = {
    epoch: 0, atMs: 0, rules: RULES, jobs: world.jobs.map(({ name, account, offer }) => ({ id: `0x${name}` as const, account, offer })),
    offers: world.units.map(({ name, account, offer, freeCollateral }) => ({ id: `0x${name}` as const, account, offer, freeCollateral }))
  }
  return world.units.filter(({ offer }) => offer.gpus[0] !== undefined && isThin(snapshot, offer.gpus[0].model, AUCTION.minAccounts))
}

const thin: Strategy = {
  name: 'provider of a thin class asks 30 % more',
  known: 'the reference price stands in for a class price; an ask above it is what the one provider names',
  play: (world) => {
    const [own] = some(world, 'thin provider', thinUnits(world), 1)
    return own === undefined ? { members: new Set(), world } : inflated(world, own, 30)
  }
}

const split: Strategy = {
  name: 'creators split a job in two',
  known: 'no deceit: half a job is worth half, and fits where a whole one does not',
  play: (world) => {
    const own = creatorsOf(world)
    const halves = (job: Job): Job[] => [0, 1].map((at) => {
      const part = (amount: number): number => at === 0 ? Math.ceil(amount / 2) : Math.floor(amount / 2)
      const { cpuMilli, memoryMiB, diskMiB } = job.offer.resources
      const value = part(job.value)
      return { ...job, name: `${job.name}/${at}`, value, offer: { ...job.offer, jobNumber: job.offer.jobNumber * 2 + at, resources: { cpuMilli: part(cpuMilli), memoryMiB: part(memoryMiB), diskMiB: part(diskMiB) }, limit: value } }
    })
    return { members: membersOf(...own), world: replaceJobs(world, (job) => own.includes(job) ? halves(job) : [job]) }
  }
}

const merge: Strategy = {
  name: 'creators merge two jobs into one',
  play: (world) => {
    const [first, second] = creatorsOf(world, 2) as [Job, Job]
    const [left, right] = [first.offer.resources, second.offer.resources]
    const value = first.value + second.value
    const resources = { cpuMilli: left.cpuMilli + right.cpuMilli, memoryMiB: left.memoryMiB + right.memoryMiB, diskMiB: left.diskMiB + right.diskMiB }
    const merged = { ...first, value, offer: { ...first.offer, resources, runSeconds: Math.max(first.offer.runSeconds, second.offer.runSeconds), limit: value } }
    return { members: membersOf(first, second), world: replaceJobs(world, (job) => job === second ? [] : [job === first ? merged : job]) }
  }
}

const splitUnit: Strategy = {
  name: 'provider splits its machine in two',
  play: (world) => {
    const [own] = some(world, 'splitting provider', world.units.filter(isCpu), 1) as [Unit]
    const halves = [0, 1].map((at): Unit => {
      const part = (amount: number): number => at === 0 ? Math.ceil(amount / 2) : Math.floor(amount / 2)
      const { cpuMilli, memoryMiB, diskMiB } = own.offer.capacity
      const offer = { ...own.offer, unit: `part-${at}`, capacity: { cpuMilli: part(cpuMilli), memoryMiB: part(memoryMiB), diskMiB: part(diskMiB) } }
      return { ...own, name: `${own.name}/${at}`, offer, truth: offer }
    })
    return { members: membersOf(own), world: replaceUnits(world, (unit) => unit === own ? halves : [unit]) }
  }
}

/** 5 minutes: as much age as counts. */
const BACKDATED_MS = AUCTION.epochMs * RULES.maxAgeEpochs

function backdate (name: string, delayMs: number): Strategy {
  return {
    name,
    play: (world) => {
      const own = creatorsOf(world)
      const late = ({ seenMs: [one, other] }: Job): readonly [number, number] => [one + delayMs, other + delayMs]
      return { members: membersOf(...own), world: replaceJobs(world, (job) => [own.includes(job) ? { ...job, writtenMs: job.writtenMs - BACKDATED_MS, seenMs: late(job) } : job]) }
    }
  }
}

/** What single creators and providers may try with what they say of themselves. */
export const BIDDERS: readonly Strategy[] = [
  shade(10), shade(25), inflate(10), inflate(30), thin, split, merge, splitUnit,
  backdate('creators backdate a job by 30 epochs', 0), backdate('creators backdate a job and hide it for an epoch', AUCTION.epochMs)
]
