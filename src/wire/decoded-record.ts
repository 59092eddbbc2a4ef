import { addressText, isSameAddress } from './addresses.ts'
import type { Delegation } from './delegation.ts'
import { keccakHex } from './keccak.ts'
import type { SignedRecord } from './record.ts'
import type { Envelope, RecordKind } from './record-envelope.ts'
import type { Address, Hash, Signature } from './shapes.ts'

/** A record over its encoding, from which body and signature are read when they are asked for: most of a book's never are, and a copy of each for 100,000 records is a tenth of a gigabyte. */
export class DecodedRecord implements SignedRecord {
  readonly kind: RecordKind
  readonly account: Address
  readonly operator: Address
  readonly slot: number
  readonly seq: number
  readonly id: Hash
  readonly delegation?: Delegation
  #bytes: Uint8Array
  readonly #bodyAt: number
  readonly #bodyEnd: number
  readonly #signatureAt: number

  /** @param envelope - read from `bytes`. */
  constructor (bytes: Uint8Array, envelope: Envelope, id: Hash) {
    const { kind, accountAt, operatorAt, slot, seq, delegation } = envelope
    this.#bytes = bytes
    this.kind = kind
    this.account = addressText(bytes, accountAt)
    this.operator = isSameAddress(bytes, accountAt, bytes, operatorAt) ? this.account : addressText(bytes, operatorAt)
    this.slot = slot
    this.seq = seq
    this.id = id
    this.#bodyAt = envelope.bodyAt
    this.#bodyEnd = envelope.bodyEnd
    this.#signatureAt = envelope.signatureAt
    if (delegation !== undefined) this.delegation = delegation
  }

  /** The encoding. */
  get bytes (): Uint8Array {
    return this.#bytes
  }

  /** From here on the record is one over this copy of its encoding. */
  moveTo (copy: Uint8Array): void {
    this.#bytes = copy
  }

  /** A view of the encoding. */
  get body (): Uint8Array {
    return this.#bytes.subarray(this.#bodyAt, this.#bodyEnd)
  }

  get bodyHash (): Hash {
    return keccakHex(this.body)
  }

  /** 64 bytes, a view of the encoding. */
  get signatureBytes (): Uint8Array {
    return this.#bytes.subarray(this.#signatureAt, this.#signatureAt + 64)
  }

  get signature (): Signature {
    const { buffer, byteOffset, byteLength } = this.signatureBytes
    return `0x${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`
  }
}
