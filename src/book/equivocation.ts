import { bytesToHex, hexToBytes } from 'viem'
import { z } from 'zod'
import type { SignatureCheck } from '../wire/signature.ts'
import { encodeCbor } from '../wire/cbor.ts'
import { bodyHash, decodeBody, RECORD_KINDS, recordId, type RecordKind, type SignedRecord } from '../wire/record.ts'
import type { Signature } from '../wire/shapes.ts'
import type { Domain } from '../wire/typed-data.ts'

/**
 * protocol/book.md, "Equivocation". A proof is a record about its author: register and seq are those of the conflict, the
 * body holds what the two statements differ in, and the signature is 64 zero bytes, since both statements are signed inside.
 * Bodies are not carried: the EIP-712 digest of each statement needs only their hashes, so every proof fits in 1 KB.
 */
const bytesOf = (length: number): z.ZodType<Uint8Array> => z.instanceof(Uint8Array).refine((bytes) => bytes.length === length)
const statementShape = z.tuple([z.number().int().min(1).max(4), bytesOf(32), bytesOf(64)])
const proofShape = z.tuple([statementShape, statementShape])
const KINDS = Object.keys(RECORD_KINDS) as RecordKind[]

/** What stands in the place of a signature in a proof. */
export const NO_SIGNATURE: Signature = `0x${'00'.repeat(64)}`

/** Makes the proof of two records of one register and seq with different ids. Either order gives the same proof. */
export function proofOf (domain: Domain, one: SignedRecord, other: SignedRecord): SignedRecord {
  const pair = one.id < other.id ? [one, other] : [other, one]
  const body = encodeCbor(pair.map((record) => [RECORD_KINDS[record.kind], hexToBytes(record.bodyHash), hexToBytes(record.signature)]))
  const { account, operator, slot, seq } = one
  const head = { kind: 'equivocation' as const, account, operator, slot, seq, bodyHash: bodyHash(body) }
  const delegation = one.delegation ?? other.delegation
  return { ...head, id: recordId(domain, head), body, signature: NO_SIGNATURE, ...(delegation === undefined ? {} : { delegation }) }
}

/**
 * What must hold for a proof to prove: both statements signed by its operator. `undefined` when it is none whoever signed:
 * not two different statements of this register and seq in order of id. Throws WireError on a body of another shape.
 */
export function claimsOfProof (domain: Domain, proof: SignedRecord): SignatureCheck[] | undefined {
  if (proof.signature !== NO_SIGNATURE) return undefined
  const { account, operator, slot, seq } = proof
  const claims = decodeBody(proofShape, proof).map(([number, hash, signature]): SignatureCheck => {
    const kind = KINDS.find((name) => RECORD_KINDS[name] === number) as RecordKind
    return { digest: recordId(domain, { kind, account, operator, slot, seq, bodyHash: bytesToHex(hash) }), signature: bytesToHex(signature), signer: operator }
  })
  const [first, second] = claims
  return first !== undefined && second !== undefined && first.digest < second.digest ? claims : undefined
}
