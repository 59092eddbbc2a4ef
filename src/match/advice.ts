import { formatLily } from '../wire/amount.ts'
import { endOf, lockable, type ReasonCode } from './admissible.ts'
import { devicesFor } from './devices.ts'
import { gpuGap } from './gpu-gap.ts'
import { knownSets, trustedBy, type Trust } from './mediators.ts'
import { askFor, collateralFor, priceFor } from './price.ts'
import type { JobRow, MatchRules, OfferRow } from './problem.ts'
import { FULL_REPUTATION } from './score.ts'

/** What one side can do about one constraint. */
export interface Advice {
  reason: ReasonCode
  /** One sentence for people. */
  text: string
  /** The change in the constraint's unit (nLILY, milli-cores, MiB, seconds), where a number says it. */
  by?: number
  /** False when only the other side can change it. */
  own: boolean
}

type Pair = { job: JobRow, offer: OfferRow, rules: MatchRules, atMs: number }
type Side = Record<ReasonCode, (pair: Pair) => Omit<Advice, 'reason'>>

const other = (text: string): Omit<Advice, 'reason'> => ({ text, own: false })
const own = (text: string, by?: number): Omit<Advice, 'reason'> => ({ text, own: true, ...(by === undefined ? {} : { by }) })

const lacking = {
  cpu: ({ job, offer }: Pair) => job.offer.resources.cpuMilli - offer.offer.capacity.cpuMilli,
  memory: ({ job, offer }: Pair) => job.offer.resources.memoryMiB - offer.offer.capacity.memoryMiB,
  disk: ({ job, offer }: Pair) => job.offer.resources.diskMiB - offer.offer.capacity.diskMiB,
  seconds: ({ job, offer }: Pair) => job.offer.runSeconds - offer.offer.maxRunSeconds,
  price: ({ job, offer }: Pair) => askFor(job.offer, offer.offer, devicesFor(job.offer, offer.offer) ?? []) - job.offer.limit,
  late: ({ job, offer, atMs }: Pair) => Math.ceil((endOf(job, offer, atMs) - job.offer.deadline) / 1000),
  collateral: ({ job, offer, rules }: Pair) => collateralFor(priceFor(job.offer, offer.offer, rules, devicesFor(job.offer, offer.offer) ?? []), rules, job.offer) - lockable(offer),
  reputation: ({ job, offer }: Pair) => job.offer.minReputationBp - (offer.reputationBp ?? FULL_REPUTATION)
}
const money = (by: number): string => Number.isFinite(by) ? `${formatLily(by)} LILY` : 'more LILY than can be counted'

/** Sets that the other side accepts come first: one entry in place of many addresses. */
function trustText (trust: Trust, side: 'creator' | 'provider', rules: MatchRules): string {
  const sets = knownSets(trust, rules).map(({ number, hash }) => `accept mediator set ${number} (${hash})`)
  const named = trust.mediators.length === 0 ? [] : [`trust one of the ${side}'s mediators: ${trust.mediators.join(', ')}`]
  return [...sets, ...named].join(', or ')
}

/** For the job's creator. */
const CREATOR: Side = {
  self: () => other('the offer is your own account\'s; a job runs on another account\'s machine'),
  validity: ({ job, atMs }) => job.offer.validUntil <= atMs ? own('publish the job again: it is no longer valid') : other('the offer is no longer valid'),
  market: ({ job, offer }) => own(`publish the job in the market "${offer.offer.market}" (it is in "${job.offer.market}")`),
  matched: () => own('the job has found a deal; it is free again when that ends'),
  free: ({ offer, atMs }) => other(`the capacity is free in ${Math.ceil((offer.offer.freeFrom - atMs) / 1000)} s`),
  deadline: (pair) => own(`move the deadline by ${lacking.late(pair)} s, or shorten the run`, lacking.late(pair)),
  size: () => own('ask for less: the job is larger than prices can be counted for'),
  avoid: ({ offer }) => other(`${offer.account} failed or refused it before and is not tried again yet`),
  target: ({ offer }) => own(`add ${offer.account} to the targets`),
  creators: () => other('the provider takes jobs of listed creators only'),
  engine: ({ job }) => other(`the offer does not run the engine "${job.offer.engine}"`),
  module: () => other('the provider runs listed modules only'),
  group: ({ job }) => own(`post all ${job.offer.group.size} jobs of the group, each index once: it is matched whole`),
  seal: () => own('submit the job unsealed: sealed content is not served yet'),
  verification: () => own('ask for a quorum of at most as many as there are replicas'),
  reputation: (pair) => own(`ask for ${lacking.reputation(pair)} bp of reputation less`, lacking.reputation(pair)),
  mediators: ({ offer, rules }) => trustedBy(offer.offer, rules).length === 0 ? other('the provider trusts no mediator') : own(trustText(offer.offer, 'provider', rules)),
  cpu: (pair) => own(`ask for ${lacking.cpu(pair)} milli-cores less`, lacking.cpu(pair)),
  memory: (pair) => own(`ask for ${lacking.memory(pair)} MiB of memory less`, lacking.memory(pair)),
  disk: (pair) => own(`ask for ${lacking.disk(pair)} MiB of disk less`, lacking.disk(pair)),
  gpu: ({ job, offer }) => own(`ask for other GPUs: ${gpuGap(job.offer, offer.offer)}`),
  runSeconds: (pair) => own(`shorten the run by ${lacking.seconds(pair)} s`, lacking.seconds(pair)),
  ticks: () => other('the provider asks unit prices that are no ticks'),
  price: (pair) => own(`raise the limit by ${money(lacking.price(pair))}`, lacking.price(pair)),
  collateral: (pair) => other(`the provider is short of ${money(lacking.collateral(pair))} of collateral`)
}

/** For the offer's provider. */
const PROVIDER: Side = {
  self: () => other('the job is your own account\'s'),
  validity: ({ offer, atMs }) => offer.offer.validUntil <= atMs ? own('publish the offer again: it is no longer valid') : other('the job is no longer valid'),
  market: ({ job, offer }) => own(`offer in the market "${job.offer.market}" (you are in "${offer.offer.market}")`),
  matched: () => other('the job has found a deal'),
  free: ({ offer, atMs }) => own(`offer the capacity now: it is stated to be free in ${Math.ceil((offer.offer.freeFrom - atMs) / 1000)} s`),
  deadline: () => other('the job cannot end before its deadline'),
  size: () => other('the job is larger than prices can be counted for'),
  avoid: () => other('the creator avoids you'),
  target: () => other('the creator named other providers'),
  creators: ({ job }) => own(`add ${job.account} to the creators you take jobs of`),
  engine: ({ job }) => own(`offer the engine "${job.offer.engine}"`),
  module: ({ job }) => own(`allow the module ${job.offer.module}`),
  group: () => other('the job is part of a group that is not complete in the book'),
  seal: () => other('the job is sealed, which is not served yet'),
  verification: () => other('the job wants more providers to agree than it asks for'),
  reputation: (pair) => own(`earn ${lacking.reputation(pair)} bp of reputation more`, lacking.reputation(pair)),
  mediators: ({ job, rules }) => trustedBy(job.offer, rules).length === 0 ? other('the creator trusts no mediator') : own(trustText(job.offer, 'creator', rules)),
  cpu: (pair) => own(`offer ${lacking.cpu(pair)} milli-cores more`, lacking.cpu(pair)),
  memory: (pair) => own(`offer ${lacking.memory(pair)} MiB of memory more`, lacking.memory(pair)),
  disk: (pair) => own(`offer ${lacking.disk(pair)} MiB of disk more`, lacking.disk(pair)),
  gpu: ({ job, offer }) => own(`offer other GPUs: ${gpuGap(job.offer, offer.offer)}`),
  runSeconds: (pair) => own(`take runs of ${lacking.seconds(pair)} s more`, lacking.seconds(pair)),
  ticks: () => own('round the unit prices of the offer up to ticks'),
  price: (pair) => own(`ask ${money(lacking.price(pair))} less for this job`, lacking.price(pair)),
  collateral: (pair) => own(`deposit, or allow for one job, ${money(lacking.collateral(pair))} more of collateral`, lacking.collateral(pair))
}

/** What `side` can do about a constraint that the pair fails. */
export function adviceFor (side: 'creator' | 'provider', reason: ReasonCode, pair: Pair): Advice {
  return { reason, ...(side === 'creator' ? CREATOR : PROVIDER)[reason](pair) }
}
