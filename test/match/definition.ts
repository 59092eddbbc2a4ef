import type { Match, Snapshot } from '../../src/match/problem.ts'
import type { GpuDemand } from '../../src/wire/job-offer.ts'
import type { GpuSupply, ResourceOffer } from '../../src/wire/resource-offer.ts'

/**
 * protocol/matching.md once more, written down from the page in big integers and without care for time, sharing nothing with src/match: what the code is
 * held against.
 */

type Job = Snapshot['jobs'][number]
type Offer = Snapshot['offers'][number]
interface Pair { job: Job, offer: Offer, devices: readonly number[], match: Match }

const max = (left: bigint, right: bigint): bigint => left > right ? left : right
const min = (left: bigint, right: bigint): bigint => left < right ? left : right
const LARGEST = 2n ** 53n - 1n
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n)
const copies = (job: Job): number => 'replicas' in job.offer.verification ? job.offer.verification.replicas : 1
const numbers = (job: Job): string[] => Array.from({ length: copies(job) }, (_, copy) => `${job.account} ${job.offer.jobNumber + copy}`)

function unitPrice (unit: { base: number, cpuMilliSecond: number, memoryMiBSecond: number, diskMiBSecond: number }, { resources, runSeconds, gpus }: Job['offer'], seconds: readonly number[]): bigint {
  const resource = BigInt(resources.cpuMilli) * BigInt(unit.cpuMilliSecond) + BigInt(resources.memoryMiB) * BigInt(unit.memoryMiBSecond) + BigInt(resources.diskMiB) * BigInt(unit.diskMiBSecond)
  const gpu = sum(gpus.map(({ shareBp }, at) => BigInt(shareBp) * BigInt(seconds[at] as number)))
  return BigInt(unit.base) + BigInt(runSeconds) * resource + (BigInt(runSeconds) * gpu + 9_999n) / 10_000n
}

export function moneyOf ({ job, offer, devices }: Omit<Pair, 'match'>, { rules }: Snapshot): { ask: bigint, reference: bigint, price: bigint, collateral: bigint, welfare: bigint } {
  const { gpuSecond } = rules.reference
  const second = (model: string): number => gpuSecond.models[model] ?? gpuSecond.default
  const used = devices.map((at) => offer.offer.gpus[at] as GpuSupply)
  const ask = unitPrice(offer.offer.ask, job.offer, used.map(({ secondAsk }) => secondAsk))
  const reference = unitPrice(rules.reference, job.offer, used.map(({ model }) => second(model)))
  const alone = unitPrice(rules.reference, job.offer, job.offer.gpus.map(({ models }) => models.length === 0 ? gpuSecond.default : Math.min(...models.map(second))))
  const limit = BigInt(job.offer.limit)
  const price = min(limit, max(ask, reference))
  const collateral = (price * BigInt(Math.max(rules.collateralBp, job.offer.collateralBp)) + 9_999n) / 10_000n
  const clip = (amount: bigint): bigint => max(reference * BigInt(10_000 - rules.bandBp) / 10_000n, min(min(LARGEST, reference * BigInt(10_000 + rules.bandBp) / 10_000n), amount))
  const premiumBp = BigInt(rules.maxPremiumBp) * BigInt(10_000 - (offer.reputationBp ?? 10_000)) / 10_000n
  const age = alone > LARGEST ? 0n : alone * BigInt(rules.ageBp) * BigInt(Math.min(job.ageEpochs ?? 0, rules.maxAgeEpochs)) / 10_000n
  const isNarrow = job.offer.targets.length > 0 || offer.offer.creators.length > 0 || job.late === true || offer.late === true
  const counted = clip(limit) + age - clip(ask + ask * premiumBp / 10_000n)
  return { ask, reference, price, collateral, welfare: isNarrow ? 1n : min(LARGEST, max(1n, counted)) }
}

/** What an offer shares: capacity and devices with the alternatives that are used beside it, money and reputation with all of its account. */
function shared (offer: Offer, { offers }: Snapshot, used: readonly Offer[]): { unit: ResourceOffer['capacity'], shares: number[], collateral: number, reputation: number } {
  const ofAccount = offers.filter(({ account }) => account === offer.account)
  const ofUnit = used.filter((other) => other.account === offer.account && other.offer.unit === offer.offer.unit)
  const least = (name: 'cpuMilli' | 'memoryMiB' | 'diskMiB'): number => Math.min(...ofUnit.map((other) => other.offer.capacity[name]))
  const places = Math.max(...ofUnit.map((other) => other.offer.gpus.length))
  return {
    unit: { cpuMilli: least('cpuMilli'), memoryMiB: least('memoryMiB'), diskMiB: least('diskMiB') },
    shares: Array.from({ length: places }, (_, at) => Math.min(...ofUnit.filter((other) => other.offer.gpus.length > at).map((other) => (other.offer.gpus[at] as GpuSupply).shareBp))),
    collateral: Math.min(...ofAccount.map(({ freeCollateral }) => freeCollateral)), reputation: Math.min(...ofAccount.map(({ reputationBp }) => reputationBp ?? 10_000))
  }
}

const ticks = new Set([0])
for (let tick = 1n; tick <= LARGEST; tick += max(1n, tick / 50n)) ticks.add(Number(tick))
const isTick = (price: number): boolean => ticks.has(price)

function isComplete (job: Job, { jobs }: Snapshot): boolean {
  const { group } = job.offer
  if (group.size <= 1) return true
  const members = jobs.filter((other) => other.account === job.account && other.offer.group.size > 1 && other.offer.group.id === group.id)
  const isAmbiguous = (member: Job): boolean => jobs.some((other) => other !== member && other.id.slice(0, 18) === member.id.slice(0, 18))
  return members.length === group.size && members.every((member) => member.offer.group.size === group.size && !isAmbiguous(member)) &&
    Array.from({ length: group.size }, (_, index) => members.filter((member) => member.offer.group.index === index).length).every((count) => count === 1)
}

function doDevicesServe ({ job, offer, devices }: Pair, shares: readonly number[]): boolean {
  return devices.length === job.offer.gpus.length && new Set(devices).size === devices.length && devices.every((at, entry) => {
    const device = offer.offer.gpus[at]
    const demand = job.offer.gpus[entry] as GpuDemand
    return device !== undefined && (demand.models.length === 0 || demand.models.includes(device.model)) && demand.vramMiB <= device.vramMiB && demand.shareBp <= (shares[at] as number)
  })
}

function isAdmissible (pair: Pair, snapshot: Snapshot): boolean {
  const { atMs, rules } = snapshot
  const [job, offer] = [pair.job.offer, pair.offer.offer]
  const { unit, collateral, reputation } = shared(pair.offer, snapshot, [pair.offer])
  const money = moneyOf({ ...pair, offer: { ...pair.offer, reputationBp: reputation } }, snapshot)
  const mediators = job.mediators.filter((mediator) => offer.mediators.includes(mediator) && mediator !== pair.job.account && mediator !== pair.offer.account)
  return pair.job.account !== pair.offer.account && job.validUntil > atMs && offer.validUntil > atMs && job.market === offer.market && job.matchedUntil <= atMs &&
    offer.freeFrom <= atMs + rules.maxAheadMs && Math.max(atMs, offer.freeFrom) + (job.stageSeconds + job.runSeconds) * 1000 <= job.deadline &&
    !job.avoid.includes(pair.offer.account) && (job.targets.length === 0 || job.targets.includes(pair.offer.account)) && (offer.creators.length === 0 || offer.creators.includes(pair.job.account)) &&
    offer.engines.includes(job.engine) && (offer.modules.length === 0 || offer.modules.includes(job.module)) && BigInt(job.sealKey) === 0n && reputation >= job.minReputationBp &&
    (job.verification.strategy !== 'audit' || mediators.length > 0) && (!('quorum' in job.verification) || job.verification.quorum <= job.verification.replicas) &&
    job.resources.cpuMilli <= unit.cpuMilli && job.resources.memoryMiB <= unit.memoryMiB && job.resources.diskMiB <= unit.diskMiB && job.runSeconds <= offer.maxRunSeconds &&
    [...Object.values(offer.ask), ...offer.gpus.map(({ secondAsk }) => secondAsk)].every(isTick) && money.reference <= LARGEST && money.ask <= BigInt(job.limit) &&
    money.collateral <= BigInt(offer.collateral === 0 ? collateral : Math.min(collateral, offer.collateral))
}

/** The matches that count: rows known, groups complete, nothing unknown in what belongs together. */
function countable (snapshot: Snapshot, matches: readonly Match[]): Pair[] {
  const jobOf = (match: Match): Job | undefined => snapshot.jobs.find(({ id }) => id === match.job)
  const isKnown = (match: Match): boolean => {
    const job = jobOf(match)
    return job !== undefined && snapshot.offers.some(({ id }) => id === match.offer) && isComplete(job, snapshot)
  }
  const together = (match: Match): Match[] => matches.filter((other) => {
    const [left, right] = [jobOf(match), jobOf(other)]
    if (left === undefined || right === undefined) return other === match
    return left === right || (left.offer.group.size > 1 && left.account === right.account && left.offer.group.id === right.offer.group.id)
  })
  return matches.filter((match) => together(match).every(isKnown)).map((match) => ({ job: jobOf(match) as Job, offer: snapshot.offers.find(({ id }) => id === match.offer) as Offer, devices: match.devices, match }))
}

/** The score of the matches; undefined when they are infeasible. */
export function scoreOf (snapshot: Snapshot, matches: readonly Match[]): bigint | undefined {
  const named = snapshot.jobs.filter((job) => matches.some((match) => match.job === job.id))
  for (const job of named) {
    const own = matches.filter((match) => match.job === job.id)
    const providers = own.map((match) => snapshot.offers.find(({ id }) => id === match.offer)?.account).filter((account) => account !== undefined)
    if (own.length !== copies(job) || new Set(providers).size < providers.length) return undefined
    if (named.some((other) => other !== job && numbers(other).some((number) => numbers(job).includes(number)))) return undefined
    const mates = snapshot.jobs.filter((other) => job.offer.group.size > 1 && isComplete(job, snapshot) && other.account === job.account && other.offer.group.size > 1 && other.offer.group.id === job.offer.group.id)
    if (!mates.every((mate) => named.includes(mate))) return undefined
  }
  const pairs = countable(snapshot, matches)
  for (const pair of pairs) {
    if (!doDevicesServe(pair, shared(pair.offer, snapshot, [pair.offer]).shares) || !isAdmissible(pair, snapshot)) return undefined
  }
  for (const pair of pairs) {
    const { unit, shares, collateral } = shared(pair.offer, snapshot, pairs.map(({ offer }) => offer))
    const ofAccount = pairs.filter(({ offer }) => offer.account === pair.offer.account)
    const ofUnit = ofAccount.filter(({ offer }) => offer.offer.unit === pair.offer.offer.unit)
    for (const name of ['cpuMilli', 'memoryMiB', 'diskMiB'] as const) if (ofUnit.reduce((total, { job }) => total + job.offer.resources[name], 0) > unit[name]) return undefined
    for (const [at, share] of shares.entries()) {
      const used = ofUnit.flatMap(({ job, devices }) => devices.flatMap((device, entry) => device === at ? [(job.offer.gpus[entry] as GpuDemand).shareBp] : []))
      if (used.reduce((total, one) => total + one, 0) > share) return undefined
    }
    if (sum(ofAccount.map((one) => moneyOf(one, snapshot).collateral)) > BigInt(collateral)) return undefined
  }
  return sum(pairs.map((pair) => moneyOf({ ...pair, offer: { ...pair.offer, reputationBp: shared(pair.offer, snapshot, [pair.offer]).reputation } }, snapshot).welfare))
}
