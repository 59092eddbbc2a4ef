import { decode } from 'cborg'
import type { Datastore } from '../../store/datastore.ts'
import { encodeCbor } from '../../wire/cbor.ts'
import { dealIdOf, type Consent } from '../../wire/deal-terms.ts'
import type { Hash } from '../../wire/shapes.ts'
import type { Domain } from '../../wire/typed-data.ts'
import type { BatchPlace, GatheredDeal, HeldStatement, OwnBatch } from './own-batch.ts'

/** What a solver left on disk. */
export interface StoredBatch { slot: number, expiry: number, deals: GatheredDeal[], place?: BatchPlace, statements: HeldStatement[] }

/** A solver's batches on disk: a consent is there before its promise is given, a batch before it is sent, a statement before it is answered. */
export interface OwnStore {
  load: () => Promise<{ gathered: GatheredDeal[], batches: StoredBatch[] }>
  gather: (deal: GatheredDeal) => Promise<void>
  /** Forgets deals that will be committed no more. */
  drop: (deals: readonly Consent[]) => Promise<void>
  /** Notes a batch; its deals are gathered no more. */
  put: (batch: OwnBatch) => Promise<void>
  place: (batch: OwnBatch) => Promise<void>
  statement: (slot: number, statement: HeldStatement) => Promise<void>
  forget: (batch: OwnBatch) => Promise<void>
}

const GATHERED = 'batch/gathered/'
const OWN = 'batch/own/'

export function createOwnStore (components: { datastore: Pick<Datastore, 'put' | 'delete' | 'batch' | 'entries'> }, { domain }: { domain: Domain }): OwnStore {
  const { datastore } = components
  const keyOf = (dealId: Hash): string => `${GATHERED}${dealId.slice(2)}`
  const gatheredKey = ({ terms: { core } }: Consent): string => keyOf(dealIdOf(domain, core.creator, core.jobNumber, core.attempt))
  const slotKey = (slot: number): string => `${OWN}${slot}/`
  const statementKey = (slot: number, creator: Hash): string => `${slotKey(slot)}statement/${creator}`
  const sync = { sync: true }

  return {
    load: async () => {
      const batches = new Map<string, Partial<StoredBatch> & { statements: HeldStatement[] }>()
      const gathered: GatheredDeal[] = []
      for await (const [, value] of datastore.entries(GATHERED)) gathered.push(decode(value) as GatheredDeal)
      for await (const [key, value] of datastore.entries(OWN)) {
        const [slot = '', part] = key.slice(OWN.length).split('/')
        const batch = batches.get(slot) ?? { statements: [] }
        batches.set(slot, batch)
        if (part === 'statement') batch.statements.push(decode(value) as HeldStatement)
        else Object.assign(batch, part === 'place' ? { place: decode(value) as BatchPlace } : decode(value) as Partial<StoredBatch>)
      }
      return { gathered, batches: [...batches.values()].filter((batch): batch is StoredBatch => batch.deals !== undefined) }
    },
    gather: async (deal) => { await datastore.put(gatheredKey(deal), encodeCbor(deal), sync) },
    drop: async (deals) => { await datastore.batch(deals.map((deal) => ({ delete: gatheredKey(deal) }))) },
    put: async ({ slot, expiry, deals, dealIds }) => {
      await datastore.batch([{ put: [`${slotKey(slot)}deals`, encodeCbor({ slot, expiry, deals })] as [string, Uint8Array] }, ...dealIds.map((dealId) => ({ delete: keyOf(dealId) }))], sync)
    },
    place: async ({ slot, place }) => {
      if (place !== undefined) await datastore.put(`${slotKey(slot)}place`, encodeCbor(place), sync)
    },
    statement: async (slot, statement) => { await datastore.put(statementKey(slot, statement.creator), encodeCbor(statement), sync) },
    forget: async ({ slot, statements }) => {
      await datastore.batch([
        ...[...statements.keys()].map((creator) => ({ delete: statementKey(slot, creator) })),
        { delete: `${slotKey(slot)}place` }, { delete: `${slotKey(slot)}deals` }
      ], sync)
    }
  }
}
