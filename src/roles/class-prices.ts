import { isNear, nearest, type Bounded, type Certifier } from '../match/certifier.ts'
import { classOf, classPriceFor, isThin, type PricedPair } from '../match/class-price.ts'
import type { Competition } from '../match/competition.ts'
import { BP } from '../match/integers.ts'
import type { AuctionRules } from '../match/options.ts'
import { priceFor } from '../match/price.ts'
import type { Snapshot } from '../match/problem.ts'
import type { Ranked } from '../match/ranking.ts'
import { certificateIdOf, decodeProof, encodeProof, tieKey, type CertificateProof } from '../wire/auction.ts'
import type { Hash } from '../wire/shapes.ts'
import { RoleError } from './errors.ts'

/** What a node holds of an epoch whose commits are closed. */
export interface HeldEpoch { competition: Competition, snapshot: Snapshot, ranking: readonly Ranked[] }

/** Prices of an epoch's pairs by the certificates that were revealed; protocol/auction.md, Class price. Certificates are named by id, ascending. */
export interface ClassPrices {
  /** Those that this node takes the pair's price from; none: the reference price. */
  setFor: (epoch: number, pair: PricedPair) => Hash[]
  /** What makes another node take these. */
  proofs: (epoch: number, ids: readonly Hash[]) => Uint8Array[]
  /** Takes over what another node took. RoleError AUCTION_PRICE_SET; WireError. */
  adopt: (epoch: number, proofs: readonly Uint8Array[]) => void
  /** The pair's price by these, nLILY. RoleError AUCTION_PRICE_SET for one that is not held or has no low bound here. */
  priceFor: (epoch: number, pair: PricedPair, ids: readonly Hash[]) => number
}

/** Bounds and thin classes of one epoch, computed once. */
interface Computed { bounds: Map<Hash, bigint | undefined>, thin: Map<string, boolean> }

/** Prices by what `epochOf` holds; nothing is computed before it is asked for. */
export function createClassPrices (
  components: { certifier: Certifier, nowMs: () => number },
  options: { rules: Pick<AuctionRules, 'nearBp' | 'maxCertificates' | 'maxBounds' | 'minAccounts'>, epochOf: (epoch: number) => HeldEpoch | undefined }
): ClassPrices {
  const { certifier } = components
  const { rules, epochOf } = options
  const computed = new WeakMap<Snapshot, Computed>()
  const ids = new WeakMap<CertificateProof, Hash>()
  const idOf = (proof: CertificateProof): Hash => {
    const id = ids.get(proof) ?? certificateIdOf(proof.commit.solver, proof.certificate.certificate)
    ids.set(proof, id)
    return id
  }

  const computedOf = (snapshot: Snapshot): Computed => {
    const found = computed.get(snapshot) ?? { bounds: new Map(), thin: new Map() }
    computed.set(snapshot, found)
    return found
  }
  const refused = (message: string, data: Record<string, unknown>): RoleError => new RoleError('AUCTION_PRICE_SET', message, { data })
  const held = (epoch: number): HeldEpoch => {
    const found = epochOf(epoch)
    if (found === undefined) throw refused(`epoch ${epoch} is not open for consent here`, { epoch })
    return found
  }
  /** Proofs by id; those of better ranked solvers first, then by tie key. */
  const byId = ({ competition, ranking, snapshot }: HeldEpoch): Map<Hash, CertificateProof> => {
    const place = new Map(ranking.map(({ solver }, at) => [solver, at]))
    const placed = competition.certificates().map((proof) => ({ proof, at: place.get(proof.commit.solver) ?? ranking.length, key: tieKey(snapshot.epoch, proof.commit.solver) }))
    placed.sort((left, right) => left.at - right.at || (left.key < right.key ? -1 : 1))
    const found = new Map<Hash, CertificateProof>()
    for (const { proof } of placed) {
      const id = idOf(proof)
      if (!found.has(id)) found.set(id, proof)
    }
    return found
  }
  const boundOf = (snapshot: Snapshot, id: Hash, certificate: Uint8Array, most: number): bigint | undefined => {
    const { bounds } = computedOf(snapshot)
    if (!bounds.has(id) && bounds.size < most) bounds.set(id, certifier.bound(snapshot, certificate))
    return bounds.get(id)
  }
  const boundedOf = (epoch: HeldEpoch): Bounded[] => [...byId(epoch)].flatMap(([id, proof]) => {
    const { certificate } = proof.certificate
    const bound = boundOf(epoch.snapshot, id, certificate, rules.maxBounds)
    return bound === undefined ? [] : [{ id, certificate, bound, key: tieKey(epoch.snapshot.epoch, proof.commit.solver) }]
  }).sort((left, right) => left.key < right.key ? -1 : 1)
  const isThinHere = (snapshot: Snapshot, name: string): boolean => {
    const { thin } = computedOf(snapshot)
    const found = thin.get(name) ?? isThin(snapshot, name, rules.minAccounts)
    thin.set(name, found)
    return found
  }

  return {
    setFor: (epoch, pair) => {
      const found = epochOf(epoch)
      if (found === undefined || isThinHere(found.snapshot, classOf(pair))) return []
      return nearest(boundedOf(found), rules).map(({ id }) => id).sort()
    },
    proofs: (epoch, ids) => {
      const proofs = byId(held(epoch))
      return ids.flatMap((id) => {
        const proof = proofs.get(id)
        return proof === undefined ? [] : [encodeProof(proof)]
      })
    },
    adopt: (epoch, proofs) => {
      const { competition } = held(epoch)
      for (const bytes of proofs) {
        const proof = decodeProof(bytes)
        const { verdict, code } = competition.adoptCertificate(proof, components.nowMs())
        const isFault = code === 'AUCTION_EQUIVOCATION'
        if ((verdict !== 'accept' && code !== 'AUCTION_DUPLICATE') || isFault) throw refused(`the proof of a certificate does not hold here: ${code ?? verdict}`, { solver: proof.commit.solver, code })
      }
    },
    priceFor: (epoch, pair, ids) => {
      const { snapshot, ...rest } = held(epoch)
      if (ids.length === 0) return priceFor(pair.job.offer, pair.offer.offer, snapshot.rules, pair.devices)
      const known = byId({ snapshot, ...rest })
      const lowest = boundedOf({ snapshot, ...rest }).reduce<bigint | undefined>((least, { bound }) => least === undefined || bound < least ? bound : least, undefined)
      const certificates = ids.map((id) => {
        const certificate = known.get(id)?.certificate.certificate
        if (certificate === undefined) throw refused(`certificate ${id} is not held here`, { id })
        const bound = boundOf(snapshot, id, certificate, rules.maxBounds * 2)
        if (bound === undefined || !isNear(bound, lowest ?? bound, Math.min(BP, rules.nearBp * 2))) throw refused(`certificate ${id} has no low bound here`, { id })
        return certificate
      })
      return classPriceFor(certifier, snapshot, certificates, pair) as number
    }
  }
}
