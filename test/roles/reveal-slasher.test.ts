import t from 'tap'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Fault } from '../../src/match/fault.ts'
import { createRevealSlasher } from '../../src/roles/reveal-slasher.ts'
import { FALLBACK_SALT, NO_CERTIFICATE, revealDigest, type Statement } from '../../src/wire/auction.ts'
import { openParty, openSolver, until, type Party } from '../support/batch-scene.ts'
import { namedSigner, startTestChain, type TestChain } from '../support/chain.ts'

const BOND = 10_000
let test: TestChain
let rival: Party
t.before(async () => {
  test = await startTestChain()
  rival = await openParty(test, 'creator')
})
t.teardown(async () => {
  await rival.stop()
  await test.stop()
})

function statement (name: string, change: Partial<Statement>): Statement {
  const signer = namedSigner(name)
  const body = { epoch: 7, solver: signer.address, solutionId: `0x${'11'.repeat(32)}`, certificateId: NO_CERTIFICATE, salt: `0x${'22'.repeat(32)}`, ...change } as const
  return { ...body, signature: signer.sign(revealDigest(rival.chain.domain, body)) }
}

t.test('who reveals twice loses its bond, once, though only the certificate differs; a posting beside a reveal is none', async (t) => {
  const [twice, honest] = [await openSolver(test, 'twice', BOND), await openSolver(test, 'honest', BOND)]
  let tell = (_: Fault): void => undefined
  let sent = 0
  const looked: string[] = []
  const slasher = createRevealSlasher({
    auction: { onFault: (listener) => { tell = listener; return () => undefined } },
    chain: { account: async (address) => { const account = await rival.chain.account(address); looked.push(address); return account }, send: async (...given) => { sent++; return await rival.chain.send(...given) } },
    clock: createSystemClock(), random: { bytes: () => new Uint8Array(0), below: () => 0 }, logger: silentLogger
  })
  await slasher.start()
  tell({ kind: 'reveal-twice', solver: honest.address, epoch: 7, messages: [statement('honest', {}), statement('honest', { salt: FALLBACK_SALT })] })
  const fault: Fault = { kind: 'reveal-twice', solver: twice.address, epoch: 7, messages: [statement('twice', {}), statement('twice', { certificateId: `0x${'33'.repeat(32)}` })] }
  tell(fault)
  await until(async () => (await rival.chain.account(twice.address)).bond === 0)
  tell(fault)
  await until(() => looked.length === 2)
  // What follows the look begins a turn later at the latest.
  await new Promise((resolve) => { setImmediate(resolve) })
  await slasher.stop()
  t.equal(sent, 1)
  t.equal((await rival.chain.account(honest.address)).bond, BOND)
})
