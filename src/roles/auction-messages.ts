import { errorMessage } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { AuctionRules } from '../match/options.ts'
import type { Mesh } from '../mesh/mesh.ts'
import { decodeAuctionMessage, encodeAuctionMessage, MAX_AUCTION_MESSAGE_BYTES, type AuctionMessage } from '../wire/auction.ts'
import { WireError } from '../wire/errors.ts'
import type { Address } from '../wire/shapes.ts'
import type { Eligibility } from './eligibility.ts'
import { RoleError } from './errors.ts'
import type { HeldEpochs } from './held-epochs.ts'
import type { NetworkClock } from './network-clock.ts'
import type { Promises } from './promises.ts'

/** What solvers say in the auction, ours and others'. */
export interface AuctionMessages {
  /** Takes what peers say until the returned function is called. */
  listen: () => () => void
  /** Says a message of our own: counted here, then gossiped. RoleError AUCTION_REFUSED when this node would not take it. */
  say: (message: AuctionMessage) => Promise<void>
  /** Solvers that committed lately: their bonds are looked at again before each epoch. */
  solvers: () => Iterable<Address>
}

export function createAuctionMessages (
  components: { mesh: Pick<Mesh, 'topics'>, held: Pick<HeldEpochs, 'open'>, promises: Promises, eligibility: Pick<Eligibility, 'refresh'>, clock: Pick<NetworkClock, 'now'>, logger: Logger },
  options: { topic: string, rules: Pick<AuctionRules, 'maxSolvers' | 'epochMs'> }
): AuctionMessages {
  const { mesh, held, promises, eligibility, clock, logger } = components
  const { topic, rules } = options
  const solvers = new Set<Address>()

  /** Reads the bond of a solver that was not heard of before; a flood of made-up ones is not asked for. */
  const learnBond = async (message: AuctionMessage): Promise<void> => {
    if (message.type !== 'commit' || solvers.has(message.commit.solver) || solvers.size >= rules.maxSolvers * 4) return
    solvers.add(message.commit.solver)
    await eligibility.refresh([message.commit.solver], rules.epochMs).catch((error: unknown) => {
      solvers.delete(message.commit.solver)
      logger.warn('auction.bond', { error: errorMessage(error) })
    })
  }
  const take = async (message: AuctionMessage): Promise<{ verdict: 'accept' | 'ignore' | 'reject', code?: string }> => {
    await learnBond(message)
    if (message.type === 'promise') return await promises.judge(message.promise)
    const competition = held.open(epochOf(message))
    if (competition === undefined) return { verdict: 'ignore', code: 'AUCTION_EPOCH' }
    if (message.type === 'commit') return competition.addCommit(message.commit, clock.now())
    return message.type === 'reveal' ? competition.addReveal(message.reveal, clock.now()) : competition.addCertificate(message.certificate, clock.now())
  }

  return {
    listen: () => mesh.topics.subscribe(topic, {
      maxBytes: MAX_AUCTION_MESSAGE_BYTES,
      isUrgent: true,
      validate: async (data) => {
        try {
          return (await take(decodeAuctionMessage(data))).verdict
        } catch (error) {
          if (error instanceof WireError) return 'reject'
          throw error
        }
      }
    }),
    say: async (message) => {
      const judgement = await take(message)
      if (judgement.verdict !== 'accept') throw new RoleError('AUCTION_REFUSED', `our own message does not fit: ${judgement.code ?? judgement.verdict}`, { data: { ...judgement } })
      await mesh.topics.publish(topic, encodeAuctionMessage(message))
    },
    solvers: () => solvers
  }
}

function epochOf (message: Exclude<AuctionMessage, { type: 'promise' }>): number {
  if (message.type === 'commit') return message.commit.epoch
  return message.type === 'reveal' ? message.reveal.epoch : message.certificate.epoch
}
