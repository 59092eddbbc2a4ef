import { createChain } from '../../src/chain/chain.ts'
import { createVolatileStore, type ChainStore } from '../../src/chain/chain-store.ts'
import type { LedgerView } from '../../src/chain/ledger/entry.ts'
import { createLedger } from '../../src/chain/ledger/ledger.ts'
import type { ChainTuning } from '../../src/chain/options.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Address } from '../../src/wire/shapes.ts'
import { namedSigner, type TestChain } from './chain.ts'

/** Ledgers of several accounts over one chain adapter of their own; stop them before the test chain. */
export interface TestLedgers { views: () => Promise<LedgerView[]>, stop: () => Promise<void> }

/** They read from the chain's first block on, or where `datastore` left it. */
export async function startLedgers (test: TestChain, accounts: readonly Address[], options: { rpcUrl?: string, datastore?: ChainStore, tuning?: Partial<ChainTuning> } = {}): Promise<TestLedgers> {
  const datastore = options.datastore ?? createVolatileStore()
  const components = { clock: createSystemClock(), logger: silentLogger, datastore }
  const chain = createChain({ signer: namedSigner('reader'), ...components }, { rpcUrls: [options.rpcUrl ?? test.rpcUrl], deployment: test.deployment, devnet: true, tuning: { pollMs: 10, ...options.tuning } })
  const ledgers = accounts.map((account) => createLedger({ chain, ...components }, { account }))
  await Promise.all(ledgers.map(async (ledger) => { await ledger.start() }))
  await chain.start()
  return {
    views: async () => await Promise.all(ledgers.map(async (ledger) => await ledger.view())),
    stop: async () => { await chain.stop(); await Promise.all(ledgers.map(async (ledger) => { await ledger.stop() })) }
  }
}

/** What all of them hold together. */
export function togetherIn (views: readonly LedgerView[]): number {
  return views.reduce((total, { sums: { free, locked, bond, unbonding, sessions } }) => total + free + locked + bond + unbonding + Object.values(sessions).reduce((funds, amount) => funds + amount, 0), 0)
}
