import { DEFAULT_AUCTION_RULES as AUCTION, DEFAULT_MATCH_RULES as RULES } from '../../../src/match/options.ts'
import { isWithin, type Running } from '../book.ts'
import type { Pair } from '../consent.ts'
import type { Deal, Play } from '../play.ts'
import { creatorsOf, membersOf, providerOf, replaceUnits, type Strategy } from '../strategy.ts'
import type { Unit, World } from '../world.ts'

/** The machine of the deviating provider states three times what it has. */
function phantom (world: World): { own: Unit, play: Play } {
  const own = providerOf(world)
  const { cpuMilli, memoryMiB, diskMiB } = own.truth.capacity
  const stated = { ...own, freeCollateral: own.freeCollateral * 3, offer: { ...own.offer, capacity: { cpuMilli: cpuMilli * 3, memoryMiB: memoryMiB * 3, diskMiB: diskMiB * 3 } } }
  return { own: stated, play: { members: membersOf(own), world: replaceUnits(world, (unit) => [unit === own ? stated : unit]) } }
}

const takesAll: Strategy = { name: 'provider states three times its capacity', play: (world) => phantom(world).play }

/** Of the cost, percent: below it a provider calls a price poor and tries for a better one. */
const POOR_PERCENT = 115

const isPoor = ({ cost, price }: Deal): boolean => price * 100 < cost * POOR_PERCENT

const picks: Strategy = {
  name: 'provider states three times, refuses what does not fit',
  play: (world) => {
    const { own, play } = phantom(world)
    const accepted: Running[] = []
    const refuses = ({ job, unit, epoch }: Deal): boolean => {
      if (unit !== own) return false
      const shares = new Map<number, number>()
      const startMs = (epoch + 1) * AUCTION.epochMs
      const run = { unit, demand: job.offer.resources, shares, collateral: 0, endMs: startMs + job.offer.runSeconds * 1000 }
      const beside = accepted.filter(({ endMs }) => endMs > startMs)
      if (!isWithin(unit, [...beside, run])) return true
      accepted.push(run)
      return false
    }
    return { ...play, refuses }
  }
}

const drainedByProvider: Strategy = {
  name: 'provider drains its account after a poor consent',
  play: (world) => {
    const own = providerOf(world)
    return { members: membersOf(own), world, drains: (deal) => deal.unit === own && isPoor(deal) }
  }
}

const drainedByCreator: Strategy = {
  name: 'creators drain their accounts after a dear consent',
  play: (world) => {
    const own = creatorsOf(world)
    return { members: membersOf(...own), world, drains: ({ job, price, epoch }) => own.includes(job) && epoch === 0 && price * 100 > job.value * 70 }
  }
}

const cheapSolver: Strategy = {
  name: 'creators propose a pair by a worse solution: minFee',
  play: (world) => {
    const own = creatorsOf(world)
    return {
      members: membersOf(...own), world,
      order: (job, pairs) => {
        const [best] = pairs
        const isFree = (pair: Pair): boolean => pair.solutionId !== best?.solutionId && pair.offer.id === best?.offer.id
        return own.includes(job) ? [...pairs.filter(isFree), ...pairs.filter((pair) => !isFree(pair))] : pairs
      }
    }
  }
}

const underpays: Strategy = {
  name: 'creators pay nine tenths of the fee',
  known: 'a tenth is left for what nodes see differently',
  play: (world) => {
    const own = creatorsOf(world)
    const accounts = new Set(own.map(({ account }) => account))
    return { members: membersOf(...own), world, pays: (creator, fee) => accounts.has(creator) ? Math.max(RULES.minFee, Math.ceil(fee * 9 / 10)) : fee }
  }
}

/** What single creators and providers may try after they were matched. */
export const PARTIES: readonly Strategy[] = [takesAll, picks, drainedByProvider, drainedByCreator, cheapSolver, underpays]
