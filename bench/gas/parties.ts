import { concat, numberToHex } from 'viem'
import { addBondCall, approveCall, depositApprovedCall, registerMediatorCall } from '../../src/chain/account-calls.ts'
import { authoriseCall, orderCall } from '../../src/chain/batch/calls.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { toLegacySignature } from '../../src/chain/signing.ts'
import type { Signer } from '../../src/identity/signer.ts'
import { sessionDigest, type Session } from '../../src/wire/session.ts'
import { ORDER_KINDS, orderDigest, type Order } from '../../src/wire/order.ts'
import type { Hash, Signature } from '../../src/wire/shapes.ts'
import { namedSigner, type TestChain } from '../../test/support/chain.ts'

/** Who takes part in the batches of `bench -- gas`, funded and with sessions. */
export interface Parties { readonly creators: readonly Signer[], readonly providers: readonly Signer[], readonly solver: Chain, readonly solverSigner: Signer, readonly mediators: readonly Signer[] }

/** Every owner's session: number 1, a cap that binds nobody, any bonded solver. */
export const SESSION_NUMBER = 1
const FUNDS = 2_000_000_000_000
/** Stays free: a challenge takes what the reserve lacks from there. */
const FREE = 1_000_000_000
const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** Gives each owner money and a session, the solver a bond, three mediators theirs. All but the mediators' registration is sent by the solver. */
export async function createParties (test: TestChain, size: { creators: number, providers: number }): Promise<Parties> {
  const named = (role: string, count: number): Signer[] => Array.from({ length: count }, (_, index) => namedSigner(`${role} ${index}`))
  const [creators, providers, mediators, solverSigner] = [named('creator', size.creators), named('provider', size.providers), named('mediator', 3), namedSigner('solver')]
  await test.fund(solverSigner.address, 900_000_000_000_000)
  const solver = await test.chainFor(solverSigner)
  const { vault } = test.deployment.contracts
  await solver.send(approveCall(vault, 900_000_000_000_000), { name: 'approve', signal: signal() })
  const deposit = async (signer: Signer, amount: number): Promise<unknown> => await solver.send(depositApprovedCall(signer.address, amount), { name: 'deposit', signal: signal() })
  await Promise.all([...creators, ...providers].map(async (owner) => { await deposit(owner, FUNDS + FREE); await authorise(solver, owner, await solver.blockTime() + 1_000_000) }))
  await deposit(solverSigner, 100_000_000_000_000)
  await solver.send(addBondCall(90_000_000_000_000), { name: 'bond', signal: signal() })
  await Promise.all(mediators.map(async (mediator) => {
    await test.fund(mediator.address)
    await deposit(mediator, 2_000_000_000)
    const own = await test.chainFor(mediator)
    await own.send(addBondCall(1_500_000_000), { name: 'bond', signal: signal() })
    await own.send(registerMediatorCall(), { name: 'register', signal: signal() })
  }))
  return { creators, providers, solver, solverSigner, mediators }
}

/** Puts the owner's session on chain and moves its money into the session's funds, both by signature. */
async function authorise (solver: Chain, owner: Signer, expiry: number): Promise<void> {
  const session: Session = {
    account: owner.address, operator: owner.address, cap: 2 ** 53 - 1, windowSeconds: 86_400, solversRoot: numberToHex(0, { size: 32 }), notBefore: 0, expiry, nonce: 256 + SESSION_NUMBER
  }
  const order: Order = { kind: ORDER_KINDS.fund, account: owner.address, to: owner.address, number: SESSION_NUMBER, amount: FUNDS, nonce: 0 }
  await solver.send(authoriseCall(session, spelled(owner.sign(sessionDigest(solver.domain, session)))), { name: 'authorise', signal: signal() })
  await solver.send(orderCall(order, spelled(owner.sign(orderDigest(solver.domain, order)))), { name: 'fund', signal: signal() })
}

/** The 65 bytes that OpenZeppelin's SignatureChecker takes. */
function spelled (signature: Signature): Hash {
  const { v, r, s } = toLegacySignature(signature)
  return concat([r, s, numberToHex(v, { size: 1 })])
}
