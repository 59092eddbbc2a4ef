import { z } from 'zod'
import { MAX_EVIDENCE_BYTES } from './auction.ts'
import { decodeCbor, encodeCbor } from './cbor.ts'
import type { MediatorList } from './deal-messages.ts'
import { dealTermsShape } from './deal-terms.ts'
import { openingShape } from './opening.ts'
import { leafLinesShape } from './statement.ts'
import { addressShape, amountShape, cidShape, hashShape, parseShape, peerIdShape, signatureShape, uintShape, type Hash } from './shapes.ts'

/** protocol/deal-room.md. Direct requests about one deal between its two parties, the solver and the mediator. */
export const DEAL_PROTOCOL = '/lily/deal/1.0.0'
export const OPEN_PROTOCOL = '/lily/open/1.0.0'
export const MEDIATE_PROTOCOL = '/lily/mediate/1.0.0'

/** A proposal carries evidence of a solution (66 KB); a mediation a record (16 KB) and a manifest. */
export const MAX_DEAL_MESSAGE_BYTES = 131_072
/** To a solver: the lines of the 32 jobs that one creator can have in a batch, nine each. */
export const MAX_OPEN_BYTES = 24_576

const bytesShape: z.ZodType<Uint8Array> = z.instanceof(Uint8Array)

/** In the one order that the contracts read: ascending, none twice, a weight for each. Not zod's `readonly`, which throws when it freezes bytes. */
export const mediatorListShape = z.strictObject({ mediators: z.array(addressShape).max(32), weights: z.array(uintShape).max(32) })
  .refine(({ mediators, weights }) => mediators.length === weights.length, 'a weight is missing or left over')
  .refine(({ mediators }) => mediators.every((mediator, at) => at === 0 || (mediators[at - 1] as string) < mediator), 'mediators must ascend, none twice')
  .transform((list): MediatorList => list)

/** Certificates that one side takes at most (protocol/auction.md): as many proofs go with a message. */
const MAX_PROOFS = 5
const idsShape = (most: number): z.ZodType<Hash[]> => z.array(hashShape).max(most).refine((ids) => ids.every((id, at) => at === 0 || (ids[at - 1] as string) < id), 'ids must ascend, none twice')

/** Creator to provider: the pair that the evidence matches; the provider answers with signed terms. */
const proposeShape = z.strictObject({
  type: z.literal('propose'),
  epoch: uintShape,
  /** Signed commit and reveal of the solution, as `match/competition.ts` verifies them. */
  evidence: bytesShape,
  jobOfferId: hashShape,
  resourceOfferId: hashShape,
  creatorSaltHash: hashShape,
  /** The solver's, by the creator's ranking. */
  fee: amountShape,
  /** The module's version on chain, whose shares are the deal's lines; zero: none. */
  version: hashShape,
  /** The creator would have the deal in a batch of the solver. */
  batched: z.boolean(),
  /** Certificates that the price is taken from, by id; proofs of those that the provider is known to lack. */
  certificates: idsShape(10),
  proofs: z.array(bytesShape).max(MAX_PROOFS)
})
/** Creator to provider: the creator's signature under the same terms. From here both are bound. */
const agreeShape = z.strictObject({ type: z.literal('agree'), dealId: hashShape, creatorSignature: signatureShape })
/** Anyone to a party: the deal should be on chain now; the receiver looks for itself. */
const openedShape = z.strictObject({ type: z.literal('opened'), dealId: hashShape })
/** A leaf's place in a committed batch: 256 leaves have a tree of eight levels. */
const placeShape = { batch: hashShape, leaf: uintShape.max(255), proof: z.array(hashShape).max(8) }
/** Solver to a party: where its deal stands in the batch. */
const leafShape = z.strictObject({ type: z.literal('leaf'), dealId: hashShape, ...placeShape })
/** Provider to creator: inputs are staged; the creator signs the same receipt. */
const startShape = z.strictObject({ type: z.literal('start'), dealId: hashShape, inputRoot: hashShape, sealedRoot: hashShape, startedAt: uintShape, providerSignature: signatureShape })
/** Provider to creator: the signed result. */
const resultShape = z.strictObject({ type: z.literal('result'), dealId: hashShape, manifestCid: cidShape, manifest: bytesShape, outputRoot: hashShape, signature: signatureShape })
/** Creator to provider: pay (with a verdict when a mediator looked). */
const acceptShape = z.strictObject({
  type: z.literal('accept'), dealId: hashShape, manifest: hashShape, signature: signatureShape,
  /** For a leaf of a batch: the creator's Statement of all leaves that it has accepted, bit i for leaf i. */
  statement: z.strictObject({ leaves: hashShape, signature: signatureShape, lines: leafLinesShape.optional() }).optional(),
  verdict: z.strictObject({ mediator: addressShape, outcome: uintShape.max(255), evidence: hashShape, signature: signatureShape }).optional()
})
/** Creator to provider: I have this result, by my signature under its receipt; which salt of yours goes into the audit draw? */
const saltShape = z.strictObject({ type: z.literal('salt'), dealId: hashShape, manifest: hashShape, signature: signatureShape, creatorSalt: hashShape })
/** Either to the other: what do you hold of this deal? The answer repeats what may have been lost. */
const statusShape = z.strictObject({ type: z.literal('status'), dealId: hashShape })
/** Creator to provider: the deal is not wanted any more; binding only while it is not open. */
const withdrawShape = z.strictObject({ type: z.literal('withdraw'), dealId: hashShape })

export const dealRequestShape = z.discriminatedUnion('type', [proposeShape, agreeShape, openedShape, leafShape, startShape, resultShape, acceptShape, saltShape, statusShape, withdrawShape])
export type DealRequest = z.output<typeof dealRequestShape>
export type DealRequestOf<T extends DealRequest['type']> = Extract<DealRequest, { type: T }>

const signedAnswerShape = z.strictObject({ terms: dealTermsShape, mediators: mediatorListShape, providerSignature: signatureShape })
/** The provider takes the price from certificates that the proposal left out: all of them by id, and what the creator lacks. */
const pricesAnswerShape = z.strictObject({ certificates: idsShape(MAX_PROOFS), proofs: z.array(bytesShape).max(MAX_PROOFS) })
/** The provider takes the job by a better solution: its evidence, and the provider's offer that it names. */
const betterAnswerShape = z.strictObject({ better: bytesShape.refine(({ length }) => length <= MAX_EVIDENCE_BYTES, 'too much evidence'), resourceOfferId: hashShape })
export type BetterAnswer = z.output<typeof betterAnswerShape>
export type SignedAnswer = z.output<typeof signedAnswerShape>
export const proposeAnswerShape = z.union([signedAnswerShape, betterAnswerShape, pricesAnswerShape])
export const startAnswerShape = z.strictObject({ creatorSignature: signatureShape })
export const saltAnswerShape = z.strictObject({ providerSalt: hashShape })
export const emptyAnswerShape = z.strictObject({})
/** `result` repeats the result message when the provider has one. */
export const statusAnswerShape = z.strictObject({ state: z.string().max(32), result: resultShape.optional() })

/** To the solver whose match it is: will you open this deal, as the provider signed it? */
const readyShape = z.strictObject({ type: z.literal('ready'), terms: dealTermsShape, providerSignature: signatureShape })
/** Open it on chain. */
const openShape = z.strictObject({ type: z.literal('open'), terms: dealTermsShape, creatorSignature: signatureShape, providerSignature: signatureShape, providerPeer: peerIdShape })
/** Either party: where does this deal stand in its batch? */
const askLeafShape = z.strictObject({ type: z.literal('leaf'), dealId: hashShape })
/** An owner of a leaf that knows nothing of it, before it disowns it: what did both sign? */
const askConsentShape = z.strictObject({ type: z.literal('consent'), dealId: hashShape })
/** Creator to solver: pay these leaves, and these lines of them. */
const statementShape = z.strictObject({ type: z.literal('statement'), batch: hashShape, creator: addressShape, leaves: hashShape, signature: signatureShape, lines: leafLinesShape.optional() })
export const openRequestShape = z.discriminatedUnion('type', [readyShape, openShape, askLeafShape, askConsentShape, statementShape])
export type OpenRequestOf<T extends OpenRequest['type']> = Extract<OpenRequest, { type: T }>
export const leafAnswerShape = z.strictObject(placeShape)
export type LeafPlace = z.output<typeof leafAnswerShape>
export type OpenRequest = z.output<typeof openRequestShape>
export const consentAnswerShape = z.strictObject({ terms: dealTermsShape, creatorSignature: signatureShape, providerSignature: signatureShape })
/** The solver's signature under its OpeningPromise. */
export const openAnswerShape = z.strictObject({ promise: signatureShape })

/** To a drawn mediator: re-execute and judge. It checks the draw itself. */
export const mediateRequestShape = z.strictObject({
  terms: dealTermsShape,
  creatorSignature: signatureShape,
  providerSignature: signatureShape,
  mediators: mediatorListShape,
  jobRecord: bytesShape,
  creatorSalt: hashShape,
  providerSalt: hashShape,
  manifest: bytesShape,
  outputRoot: hashShape,
  resultSignature: signatureShape,
  /** Where the deal stands in its batch, while it is a leaf that nobody claimed. */
  leaf: openingShape.optional()
})
export type MediateRequest = z.output<typeof mediateRequestShape>
export const mediateAnswerShape = z.strictObject({ mediator: addressShape, outcome: uintShape.max(3), evidence: hashShape, signature: signatureShape })

/** Canonical bytes of any message of this page. */
export function encodeMessage (message: unknown): Uint8Array {
  return encodeCbor(message)
}

/** Checks foreign bytes against one shape. Throws WireError. */
export function decodeMessage<S extends z.ZodType> (shape: S, bytes: Uint8Array, what: string): z.output<S> {
  return parseShape(shape, decodeCbor(bytes, MAX_DEAL_MESSAGE_BYTES), what)
}
