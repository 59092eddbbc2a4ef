import { z } from 'zod'
import { auctionSummary } from '../api/auction-summary.ts'
import { isOver } from '../api/routes.ts'
import type { BookView, JobView, NodeFacade, RecordView, TransactionView } from '../api/facade.ts'
import type { ContractCall, TxReceipt } from '../chain/chain.ts'
import { judgeOf } from '../chain/creations.ts'
import { shardName } from '../config/markets.ts'
import type { SessionKeeper } from '../roles/batch/session-keeper.ts'
import type { Client } from '../roles/creator/client.ts'
import type { Job } from '../roles/creator/job.ts'
import { NODE_SESSION } from '../deal/batched.ts'
import { RoleError } from '../roles/errors.ts'
import { RESULT_LIMITS } from '../roles/run-job.ts'
import { jobOfferShape, verificationShape } from '../wire/job-offer.ts'
import { moduleRecordShape } from '../wire/module-record.ts'
import { decodeBody } from '../wire/record.ts'
import { resourceOfferShape } from '../wire/resource-offer.ts'
import { addressShape, amountShape, parseShape, uintShape, type Hash } from '../wire/shapes.ts'
import type { NodeParts } from './components.ts'
import { NodeError } from './errors.ts'
import { createExplainer } from './explainer.ts'
import { explanationText, offerText } from './explanation-text.ts'
import type { RunningRoles } from './roles.ts'
import { VERSION } from './version.ts'
import { createVoucherFacade } from './vouchers.ts'

const submitShape = z.strictObject({
  module: z.string().min(1).max(4096),
  inputs: z.record(z.string(), z.string()).default({}),
  files: z.record(z.string(), z.base64()).optional(),
  args: z.array(z.string()).max(256).optional(),
  targets: z.array(addressShape).max(32).optional(),
  maxPrice: amountShape.optional(),
  verification: verificationShape.optional(),
  runSeconds: uintShape.min(1).max(604_800).optional(),
  cpuMilli: uintShape.min(1).optional(),
  memoryMiB: uintShape.min(1).max(4096).optional(),
  diskMiB: uintShape.max(RESULT_LIMITS.outputBytes / 2 ** 20).optional()
})

const TRANSACTION_TIMEOUT_MS = 60_000

/** The owner's view of a node, over its running parts. */
export function createFacade (parts: NodeParts, roles: RunningRoles): NodeFacade {
  const { chain, replica, mesh, signer, auction, clock } = parts
  const startedAtMs = clock.now()
  const explainer = createExplainer(parts)
  const nameOf = (shard: number): string => shardName(parts.network, shard)
  const client = (): Client => {
    if (roles.client === undefined) throw new RoleError('ROLE_NOT_RUNNING', 'this node has no creator role', { hint: 'Start it with --role creator, or name a creator\'s data folder with --data.' })
    return roles.client
  }
  const jobOf = (id: string): Job => {
    const job = client().job(id as Hash)
    if (job === undefined) throw new RoleError('JOB_UNKNOWN', `no job ${id} here`, { data: { job: id }, hint: 'List them with "lilynode jobs".' })
    return job
  }
  const view = (job: Job): JobView => jobView(job, client())
  const keeper = (): SessionKeeper => {
    if (roles.session === undefined) throw new RoleError('ROLE_NOT_RUNNING', 'this node keeps no session', { hint: 'Creators and resource providers do, unless they were started with --direct.' })
    return roles.session
  }
  const shown = ({ name, hash, gas, from }: TxReceipt): TransactionView => ({ name, hash, gas, from })
  const send = async (name: string, call: ContractCall): Promise<TransactionView> => {
    return shown(await chain.send(call, { name, signal: AbortSignal.timeout(TRANSACTION_TIMEOUT_MS) }))
  }

  return {
    status: async () => {
      const { isReachable, resting } = chain.status()
      const { problem } = replica.status()
      const warnings = [
        ...(isReachable ? [] : ['the chain cannot be reached; deals wait']),
        ...resting.map(({ url, problem }) => `RPC endpoint ${new URL(url).host} is left aside: ${problem}`),
        ...(roles.appeals?.waiting() ?? []).map(({ dealId, outcome, until }) => `the ruling on deal ${dealId} (outcome ${outcome}) is final after ${new Date(until * 1000).toISOString()}; "lilynode appeal ${dealId.slice(0, 10)}" has it judged again`),
        ...(mesh.peers().length === 0 ? ['no peers'] : []),
        ...(parts.networkClock.isSound() ? [] : [`the clock is ${Math.round((parts.networkClock.measuredMs() ?? 0) / 1000)} s behind the peers': the node takes no part in auctions`]),
        ...(problem === undefined ? [] : [`the book is held in memory only: ${problem.message}`]),
        ...(mesh.reachability().state === 'private' && mesh.reachability().relays.length === 0 ? ['nobody can dial this node and it has found no relay'] : []),
        ...(parts.machine.executor?.isolation() === 'process' ? ['bwrap is not available: jobs run in a process of their own without namespaces'] : [])
      ]
      return {
        version: VERSION, network: parts.network.name, networks: [...parts.names], peerId: mesh.peerId, addresses: mesh.addresses(), account: parts.author.account, operator: parts.author.operator, sealKey: parts.fleet.sealKey, roles: [...parts.options.roles],
        peers: mesh.peers().length, reachability: mesh.reachability(), records: replica.book.size, shards: replica.book.shards.map(nameOf), chain: { chainId: parts.domain.chainId, blockTime: await chain.blockTime(), ok: isReachable }, epoch: auction.currentEpoch(),
        process: { pid: process.pid, rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20), uptimeMs: clock.now() - startedAtMs }, warnings
      }
    },
    book: (): BookView => ({
      jobs: replica.book.live('job').map((entry) => recordView(entry.record, decodeBody(jobOfferShape, entry.record))),
      offers: replica.book.live('offer').map((entry) => recordView(entry.record, decodeBody(resourceOfferShape, entry.record))),
      modules: replica.book.live('module').map((entry) => recordView(entry.record, decodeBody(moduleRecordShape, entry.record)))
    }),
    peers: () => {
      const books = new Map(replica.status().peers.map((peer) => [peer.peerId, peer]))
      return mesh.peers().map((peer) => {
        const book = books.get(peer.peerId)
        return { ...peer, ...(book === undefined ? {} : { book: { equal: book.equal, missing: book.missing, extra: book.extra, records: book.records, differing: book.differing.map(nameOf), unshared: book.unshared.map(nameOf), atMs: book.atMs } }) }
      })
    },
    balance: async () => {
      const [{ wei, token, free, locked, bond }, { funds }] = await Promise.all([chain.balances(signer.address), chain.session(signer.address, NODE_SESSION)])
      return { account: signer.address, wei: wei.toString(), token, free, session: funds, locked, bond }
    },
    deposit: async (amount) => {
      const sent = await send('deposit', await chain.depositCall(amount))
      await roles.session?.look()
      return sent
    },
    ledger: async () => await parts.ledger.view(),
    session: async () => await keeper().state(),
    changeSession: async (action) => {
      await keeper()[action]()
      return await keeper().state()
    },
    withdraw: async (amount) => {
      const [{ free }, { funds }] = await Promise.all([chain.account(signer.address), chain.session(signer.address, NODE_SESSION)])
      if (free < amount) throw new NodeError('NODE_NOT_FREE', `${amount} nLILY are more than the ${free} that are free`, { data: { amount, free, session: funds }, hint: funds > 0 ? `${funds} nLILY are in the session that batches are paid from: "lilynode session end" frees them after ten minutes.` : 'What is locked comes back when its deals are over.' })
      return shown(await parts.orders.withdraw(signer.address, amount, { name: 'withdraw', signal: AbortSignal.timeout(TRANSACTION_TIMEOUT_MS) }))
    },
    stake: async (amount) => {
      // From the vault if it has enough free, else straight from the wallet.
      const { free } = await chain.account(signer.address)
      if (free < amount) await send('deposit', await chain.depositCall(amount - free))
      return shown(await parts.orders.bond(amount, { name: 'bond', signal: AbortSignal.timeout(TRANSACTION_TIMEOUT_MS) }))
    },
    submit: async (body) => {
      const { files, ...request } = parseShape(submitShape, body, 'job request')
      const decoded = files === undefined ? undefined : new Map(Object.entries(files).map(([path, text]) => [path, new Uint8Array(Buffer.from(text, 'base64'))]))
      const plain = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)) as typeof request & { module: string, inputs: Record<string, string> }
      return view(await client().submit({ ...(plain as Parameters<Client['submit']>[0]), ...(decoded === undefined ? {} : { files: decoded }) }))
    },
    cancel: async (id) => view(await client().cancel(jobOf(id).id)),
    appeal: async (id) => {
      if (roles.appeals === undefined) throw new RoleError('ROLE_NOT_RUNNING', 'this node is no party of deals', { hint: 'Creators and resource providers are.' })
      const { receipt, ...appeal } = await roles.appeals.appeal(id, { signal: AbortSignal.timeout(TRANSACTION_TIMEOUT_MS) })
      const { contracts, parameters } = chain.deployment
      return { ...appeal, judge: judgeOf(contracts, parameters), court: contracts.court, transaction: shown(receipt) }
    },
    jobs: () => client().jobs().map(view),
    job: (id) => view(jobOf(id)),
    explain: async (id) => {
      const job = jobOf(id)
      const { id: offerId, ...explanation } = await explainer.job(job.offerId)
      const shown = view(job)
      return { job: job.id, offerId, jobState: job.state, ...explanation, state: isOver(shown) ? 'over' : explanation.state, deals: shown.deals, summary: explanationText(shown, { id: offerId, ...explanation }) }
    },
    explainOffer: async (id) => {
      const explanation = await explainer.offer(id)
      return { ...explanation, summary: offerText(explanation) }
    },
    watch: (id, listener) => {
      const wanted = jobOf(id).id
      return client().onJob((job) => { if (job.id === wanted) listener(view(job)) })
    },
    auction: (epoch) => {
      const decision = auction.decision(epoch)
      return decision === undefined ? undefined : auctionSummary(decision)
    },
    vouchers: createVoucherFacade(roles.vouchers, { now: chain.blockTime, timeoutMs: TRANSACTION_TIMEOUT_MS }),
    fleet: parts.fleet
  }
}

function recordView (record: { id: string, account: string, slot: number, seq: number }, body: unknown): RecordView {
  return { id: record.id, account: record.account, slot: record.slot, seq: record.seq, body }
}

function jobView (job: Job, client: Client): JobView {
  const { id, state, createdAtMs, matchedAtMs, completedAtMs, settledAtMs, result, problem } = job
  return {
    id, state, module: job.offer.moduleName, attempt: job.offer.attempt, limit: job.offer.limit, createdAtMs,
    ...(matchedAtMs === undefined ? {} : { matchedAtMs }), ...(completedAtMs === undefined ? {} : { completedAtMs }), ...(settledAtMs === undefined ? {} : { settledAtMs }),
    ...(result === undefined ? {} : { result }), ...(problem === undefined ? {} : { problem }),
    deals: client.dealsOf(job).map((deal) => {
      const { core, rest } = deal.terms
      return {
        dealId: deal.dealId, state: deal.state, epoch: deal.epoch, provider: core.provider, solver: core.feeTo, price: core.price, fee: core.fee, collateral: core.collateral,
        attempt: core.attempt, verification: rest.verification, ...(deal.verdict === undefined ? {} : { verdict: { mediator: deal.verdict.mediator, outcome: deal.verdict.outcome } }), ...(deal.problem === undefined ? {} : { problem: deal.problem }), transactions: deal.transactions
      }
    })
  }
}
