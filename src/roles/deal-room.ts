import type { z } from 'zod'
import type { Deal } from '../deal/deal.ts'
import type { Mesh } from '../mesh/mesh.ts'
import {
  consentAnswerShape, DEAL_PROTOCOL, dealRequestShape, decodeMessage, emptyAnswerShape, encodeMessage, leafAnswerShape, MAX_DEAL_MESSAGE_BYTES, mediateAnswerShape,
  MEDIATE_PROTOCOL, OPEN_PROTOCOL, openAnswerShape, proposeAnswerShape, saltAnswerShape, startAnswerShape, statusAnswerShape,
  type DealRequest, type DealRequestOf, type LeafPlace, type MediateRequest, type OpenRequest, type OpenRequestOf
} from '../wire/deal-room.ts'
import type { Consent } from '../wire/deal-terms.ts'
import type { Hash, Signature } from '../wire/shapes.ts'
import { RoleError } from './errors.ts'

/** How long each request may take; a peer that is slower is asked again by its caller or given up. */
const TIMEOUT_MS = { propose: 4_000, agree: 3_000, leaf: 3_000, consent: 3_000, statement: 3_000, start: 5_000, result: 10_000, accept: 5_000, salt: 5_000, status: 5_000, ready: 2_000, open: 5_000, mediate: 120_000 } as const

/** The direct requests of a deal, typed; protocol/deal-room.md. Each rejects with RequestError or WireError. */
export interface DealRoom {
  propose: (peer: string, message: Omit<DealRequestOf<'propose'>, 'type'>) => Promise<z.output<typeof proposeAnswerShape>>
  agree: (peer: string, dealId: Hash, creatorSignature: Signature) => Promise<void>
  opened: (peer: string, dealId: Hash) => Promise<void>
  withdraw: (peer: string, dealId: Hash) => Promise<void>
  start: (deal: Deal, message: Omit<DealRequestOf<'start'>, 'type'>) => Promise<z.output<typeof startAnswerShape>>
  deliver: (deal: Deal) => Promise<void>
  accept: (deal: Deal, message: Omit<DealRequestOf<'accept'>, 'type'>) => Promise<void>
  salt: (deal: Deal, message: Omit<DealRequestOf<'salt'>, 'type'>) => Promise<Hash>
  status: (deal: Deal) => Promise<z.output<typeof statusAnswerShape>>
  ready: (peer: string, offer: Pick<Consent, 'terms' | 'providerSignature'>) => Promise<void>
  /** The solver's signed promise. */
  open: (peer: string, consent: Consent, providerPeer: string) => Promise<Signature>
  /** Tells a party where its deal stands in a batch. */
  leaf: (peer: string, dealId: Hash, place: LeafPlace) => Promise<void>
  /** Asks the solver the same. */
  askLeaf: (peer: string, dealId: Hash) => Promise<LeafPlace>
  /** Asks the solver what both signed for a leaf of this node's account. */
  askConsent: (peer: string, dealId: Hash) => Promise<Consent>
  statement: (peer: string, message: Omit<OpenRequestOf<'statement'>, 'type'>) => Promise<void>
  mediate: (peer: string, request: MediateRequest) => Promise<z.output<typeof mediateAnswerShape>>
}

/** Who answers deal requests on this node: one function per type, by the role that owns it. */
export type DealAnswers = { [T in DealRequest['type']]?: (message: DealRequestOf<T>, peer: string) => Promise<unknown> }

export function createDealRoom (components: { mesh: Pick<Mesh, 'requests'> }): DealRoom {
  const { requests } = components.mesh
  const ask = async <S extends z.ZodType>(peer: string, message: DealRequest, shape: S, timeoutMs: number): Promise<z.output<S>> => {
    const bytes = await requests.request(peer, DEAL_PROTOCOL, encodeMessage(message), { signal: AbortSignal.timeout(timeoutMs), maxBytes: MAX_DEAL_MESSAGE_BYTES })
    return decodeMessage(shape, bytes, `answer to ${message.type}`)
  }
  const askSolver = async <S extends z.ZodType>(peer: string, message: OpenRequest, shape: S, timeoutMs: number): Promise<z.output<S>> => {
    const bytes = await requests.request(peer, OPEN_PROTOCOL, encodeMessage(message), { signal: AbortSignal.timeout(timeoutMs), maxBytes: 4096 })
    return decodeMessage(shape, bytes, `answer to ${message.type}`)
  }
  return {
    propose: (peer, message) => ask(peer, { type: 'propose', ...message }, proposeAnswerShape, TIMEOUT_MS.propose),
    agree: async (peer, dealId, creatorSignature) => { await ask(peer, { type: 'agree', dealId, creatorSignature }, emptyAnswerShape, TIMEOUT_MS.agree) },
    opened: async (peer, dealId) => { await ask(peer, { type: 'opened', dealId }, emptyAnswerShape, TIMEOUT_MS.agree) },
    withdraw: async (peer, dealId) => { await ask(peer, { type: 'withdraw', dealId }, emptyAnswerShape, TIMEOUT_MS.agree) },
    start: (deal, message) => ask(deal.peer, { type: 'start', ...message }, startAnswerShape, TIMEOUT_MS.start),
    deliver: async (deal) => { await ask(deal.peer, resultMessage(deal), emptyAnswerShape, TIMEOUT_MS.result) },
    accept: async (deal, message) => { await ask(deal.peer, { type: 'accept', ...message }, emptyAnswerShape, TIMEOUT_MS.accept) },
    salt: async (deal, message) => (await ask(deal.peer, { type: 'salt', ...message }, saltAnswerShape, TIMEOUT_MS.salt)).providerSalt,
    status: (deal) => ask(deal.peer, { type: 'status', dealId: deal.dealId }, statusAnswerShape, TIMEOUT_MS.status),
    ready: async (peer, { terms, providerSignature }) => { await askSolver(peer, { type: 'ready', terms, providerSignature }, emptyAnswerShape, TIMEOUT_MS.ready) },
    open: async (peer, { terms, creatorSignature, providerSignature }, providerPeer) => (await askSolver(peer, { type: 'open', terms, creatorSignature, providerSignature, providerPeer }, openAnswerShape, TIMEOUT_MS.open)).promise,
    leaf: async (peer, dealId, place) => { await ask(peer, { type: 'leaf', dealId, ...place }, emptyAnswerShape, TIMEOUT_MS.leaf) },
    askLeaf: (peer, dealId) => askSolver(peer, { type: 'leaf', dealId }, leafAnswerShape, TIMEOUT_MS.leaf),
    askConsent: (peer, dealId) => askSolver(peer, { type: 'consent', dealId }, consentAnswerShape, TIMEOUT_MS.consent),
    statement: async (peer, message) => { await askSolver(peer, { type: 'statement', ...message }, emptyAnswerShape, TIMEOUT_MS.statement) },
    mediate: async (peer, request) => {
      const bytes = await requests.request(peer, MEDIATE_PROTOCOL, encodeMessage(request), { signal: AbortSignal.timeout(TIMEOUT_MS.mediate), maxBytes: 4096 })
      return decodeMessage(mediateAnswerShape, bytes, 'verdict')
    }
  }
}

/** Answers deal requests from peers with what the node's roles can; the returned function stops it. */
export function serveDealRoom (components: { mesh: Pick<Mesh, 'requests'> }, answers: readonly DealAnswers[]): () => void {
  // A busy creator has dozens of deals with one provider and each has about five requests.
  const limits = { maxBytes: MAX_DEAL_MESSAGE_BYTES, perPeerPerSecond: 200, concurrency: 64, timeoutMs: 10_000 }
  return components.mesh.requests.serve(DEAL_PROTOCOL, limits, async (payload, { peer }) => {
    const message = decodeMessage(dealRequestShape, payload, 'deal request')
    for (const group of answers) {
      const answer = group[message.type] as ((message: DealRequest, peer: string) => Promise<unknown>) | undefined
      const value = await answer?.(message, peer)
      if (value !== undefined) return encodeMessage(value)
    }
    throw new RoleError('ROLE_NOT_OURS', `no role of this node answers ${message.type} for that deal`, { data: { type: message.type } })
  })
}

/** The result message of a deal whose run is over. */
export function resultMessage (deal: Deal): DealRequestOf<'result'> {
  if (deal.result === undefined) throw new RoleError('ROLE_NO_RESULT', 'the deal has no result yet', { data: { dealId: deal.dealId } })
  const { manifestCid, manifestBytes, outputRoot, signature } = deal.result
  return { type: 'result', dealId: deal.dealId, manifestCid, manifest: manifestBytes, outputRoot, signature }
}
