import { DEFAULT_AUCTION_RULES as AUCTION, DEFAULT_MATCH_RULES as RULES } from '../../src/match/options.ts'
import { phasesOf, type Phases } from '../../src/match/phases.ts'
import { askFor } from '../../src/match/price.ts'
import { createCoolDown } from '../../src/roles/cool-down.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { createSimBook, isWithin, type HeldJob, type HeldUnit, type Running } from './book.ts'
import { agree, pairsOf, type Pair, type Terms } from './consent.ts'
import { createHalf, solveSnapshot, type Half, type Sightings } from './half.ts'
import type { Deal, Play } from './play.ts'
import { planOf, solve, type Plan } from './solve.ts'
import { GENESIS_SECONDS, halfOf } from './world.ts'

/** What a run of the market ended with: profit by account, nLILY, and how much was matched. */
export interface Outcome { readonly profits: ReadonlyMap<Address, number>, readonly deals: readonly Deal[], readonly failed: number, readonly proposals: number, readonly unopened: number }

/** What it costs a solver to open a deal: minFee is made to cover just that (protocol/auction.md, Reward). */
const OPENING = RULES.minFee
const PUBLISH_MS = 200

/** Runs the market for some epochs: snapshots, solving, commit and reveal, ranking, consent, opening, execution, payment. */
export function runMarket (play: Play, epochs: number): Outcome {
  const { world } = play
  const { seed } = world
  const book = createSimBook(seed)
  for (const job of world.jobs) book.addJob(job)
  for (const unit of world.units) book.addUnit(unit)
  const coolDowns = [createCoolDown({ epochs: AUCTION.coolDownEpochs }), createCoolDown({ epochs: AUCTION.coolDownEpochs })] as const
  const bonded = new Set<Address>([...world.solvers.map(({ signer }) => signer.address), ...play.bonded ?? []])
  const profits = new Map<Address, number>()
  const deals: Deal[] = []
  /** Jobs that a solver did not open with a provider: that one passes it over from then on. */
  const left = new Set<string>()
  let running: Running[] = []
  let failed = 0
  /** Pairs that came as far as a fee, and those whose solver found it short. */
  let proposals = 0
  let unopened = 0
  const pay = (account: Address, amount: number): void => { profits.set(account, (profits.get(account) ?? 0) + amount) }

  /** Opens, runs and pays a deal that both signed. False: it is not opened, and the job goes back into the book. */
  const settle = (deal: Deal, pair: Pair, terms: Terms, phases: Phases): boolean => {
    const { job, unit, price, cost, fee, solver } = deal
    if (play.stalls?.(deal) === true) {
      for (const coolDown of coolDowns) coolDown.note(solver, phases.epoch)
      return false
    }
    // Who drains makes the opening fail on chain; the solver has paid for the transaction and is known to be innocent (AUCTION_SHORT).
    pay(solver, -OPENING)
    if (play.drains?.(deal) === true) return false
    pay(solver, fee)
    pay(job.account, -fee)
    deals.push(deal)
    const run: Running = {
      unit, demand: job.offer.resources, shares: new Map(pair.devices.map((place, entry) => [place, job.offer.gpus[entry]?.shareBp ?? 0])), collateral: terms.collateral,
      endMs: phases.consentDeadline + job.offer.runSeconds * 1000
    }
    running.push(run)
    if (!isWithin(unit, running.filter((other) => other.unit === unit))) {
      // The machine cannot do it: the price goes back to the creator, the collateral is lost.
      failed++
      pay(unit.account, -terms.collateral)
      return true
    }
    pay(job.account, job.value - price)
    pay(unit.account, price - cost)
    return true
  }

  const plansOf = (phases: Phases, seen: readonly [Sightings, Sightings]): Plan[] => {
    const snapshots = [solveSnapshot(seen[0], phases), solveSnapshot(seen[1], phases)] as const
    const honest = (at: number): Plan => {
      const solver = world.solvers[at]
      if (solver === undefined) throw new Error(`there is no solver ${at}`)
      const snapshot = snapshots[solver.half]
      return planOf(solver.signer, phases, snapshot, solve(snapshot, { rounds: solver.rounds, seed: seed * 1000 + phases.epoch * 10 + at }))
    }
    const isDeviating = (at: number): boolean => play.say !== undefined && play.solvers?.includes(at) === true
    const others = world.solvers.flatMap((_, at) => isDeviating(at) ? [] : [honest(at)])
    return [...others, ...play.say?.({ world, phases, seen, others, honest }) ?? []]
  }

  const consent = (phases: Phases, halves: readonly [Half, Half]): void => {
    const used = new Map<HeldUnit, Running[]>()
    const locked = new Map<Address, number>()
    const touched = new Set<HeldUnit>()
    const open = book.jobs.filter(({ goneMs }) => goneMs === undefined).sort((left, right) => left.id < right.id ? -1 : 1)
    const nowMs = phases.fallbackDeadline + PUBLISH_MS
    const halfOfSolver = (solver: Address): Half => halves[world.solvers.find(({ signer }) => signer.address === solver)?.half ?? halfOf(solver)]
    const isThere = (pair: Pair): boolean => book.units.some(({ id, goneMs }) => id === pair.offer.id && goneMs === undefined)
    const propose = (held: HeldJob, proposed: Pair): 'done' | 'next' | 'later' => {
      const leftBy = ({ solver, offer }: Pair): string => `${held.of.name}:${offer.account}:${solver}`
      const terms = isThere(proposed) ? agree(halves, proposed, { epoch: phases.epoch, nowMs }, { halfOfSolver, isPassedOver: (pair) => left.has(leftBy(pair)), pays: play.pays ?? ((_creator, fee) => fee) }) : undefined
      if (terms === undefined) return 'next'
      proposals++
      if ('unopened' in terms) {
        unopened++
        left.add(leftBy(terms.unopened))
        return 'next'
      }
      const { pair } = terms
      const unit = book.units.find(({ id }) => id === pair.offer.id)
      if (unit?.goneMs !== undefined || unit === undefined) return 'next'
      const before = locked.get(unit.of.account) ?? 0
      const run = { unit: unit.of, demand: pair.job.offer.resources, shares: new Map(pair.devices.map((place, entry) => [place, pair.job.offer.gpus[entry]?.shareBp ?? 0])), collateral: terms.collateral, endMs: 0 }
      const stated = { ...unit.of, truth: unit.offer }
      if (before + terms.collateral > unit.freeCollateral || !isWithin(stated, [...used.get(unit) ?? [], run])) return 'next'
      const deal = { job: held.of, unit: unit.of, price: terms.price, cost: askFor(pair.job.offer, unit.of.truth, pair.devices), fee: terms.fee, solver: pair.solver, epoch: phases.epoch }
      if (play.refuses?.(deal) === true) {
        const newest = book.jobs.filter(({ of }) => of === held.of).at(-1) ?? held
        book.remove(newest, nowMs)
        book.addJob(held.of, { avoid: [...newest.avoid, unit.of.account], atMs: nowMs })
        return 'next'
      }
      used.set(unit, [...used.get(unit) ?? [], run])
      locked.set(unit.of.account, before + terms.collateral)
      touched.add(unit)
      return settle(deal, pair, terms, phases) ? 'done' : 'later'
    }
    for (const held of open) {
      const pairs = pairsOf(halves[halfOf(held.of.account)], held.id)
      const tried = new Set<Address>()
      for (const pair of play.order?.(held.of, pairs) ?? pairs) {
        // Once each: who signed terms signs no others for this attempt, and takes the job by no worse solution.
        if (tried.has(pair.offer.account)) continue
        tried.add(pair.offer.account)
        const result = propose(held, pair)
        if (result === 'next') continue
        if (result === 'done') for (const record of book.jobs) if (record.of === held.of && record.goneMs === undefined) book.remove(record, nowMs)
        break
      }
    }
    republish(phases, touched)
  }

  /** Machines whose free capacity at the next start differs from what they state say so. */
  const republish = (phases: Phases, touched: ReadonlySet<HeldUnit>): void => {
    const ended = running.filter(({ endMs }) => endMs <= phases.consentDeadline + AUCTION.epochMs)
    running = running.filter((run) => !ended.includes(run))
    const changed = new Set([...touched].map(({ of }) => of).concat(ended.map(({ unit }) => unit)))
    for (const held of [...book.units]) {
      if (!changed.has(held.of) || held.goneMs !== undefined) continue
      book.remove(held, phases.fallbackDeadline + PUBLISH_MS)
      book.addUnit(held.of, phases.fallbackDeadline + PUBLISH_MS, running)
    }
  }

  for (let epoch = 0; epoch < epochs; epoch++) {
    const phases = phasesOf(AUCTION, GENESIS_SECONDS, epoch)
    const seen = [book.seenBy(0, phases), book.seenBy(1, phases)] as const
    const plans = plansOf(phases, seen)
    const halves = [0, 1].map((at) => createHalf(at as 0 | 1, seen[at as 0 | 1], phases, plans, coolDowns[at as 0 | 1], { isBonded: (solver) => bonded.has(solver) })) as [Half, Half]
    consent(phases, halves)
    halves.forEach(({ competition }, at) => {
      for (const solver of [...competition.silent(), ...competition.faults().map((fault) => fault.solver)]) coolDowns[at as 0 | 1].note(solver, epoch)
    })
  }
  return { profits, deals, failed, proposals, unopened }
}
