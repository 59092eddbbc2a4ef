import t from 'tap'
import { createSealKey, sealKeyOf } from '../../src/fleet/seal-key.ts'
import { openSeal, seal } from '../../src/fleet/seal.ts'
import { assertRoster, isNewerRoster, openRoster } from '../../src/fleet/roster.ts'
import { encodeCbor } from '../../src/wire/cbor.ts'
import { fleetRosterDigest, fleetRosterShape, MAX_ROSTER_BYTES } from '../../src/wire/fleet-roster.ts'
import { cardOf, memberSigner, owner, rosterOf } from '../support/fleets.ts'
import { DOMAIN } from '../support/records.ts'

const keyFor = (n: number, roster: ReturnType<typeof rosterOf>): Uint8Array => openRoster(roster, memberSigner(n).address, sealKeyOf(memberSigner(n)))

t.test('every member finds the same document key, and nobody else one', async (t) => {
  const roster = rosterOf([cardOf(1), cardOf(2)])
  t.strictSame(keyFor(1, roster), keyFor(2, roster))
  t.equal(keyFor(1, roster).length, 32)
  t.throws(() => keyFor(3, roster), { code: 'FLEET_NOT_MEMBER' })
  t.throws(() => openRoster(roster, memberSigner(1).address, sealKeyOf(memberSigner(2))), { code: 'FLEET_ROSTER' }, 'the seal of another member')
  const [first, second] = roster.members
  const swapped = { ...roster, members: [{ ...first, sealed: second?.sealed }, second] } as typeof roster
  t.throws(() => keyFor(1, swapped), { code: 'FLEET_ROSTER' })
})

t.test('each roster has a key of its own', async (t) => {
  t.notSame(keyFor(1, rosterOf([cardOf(1), cardOf(2)])), keyFor(1, rosterOf([cardOf(1)], { version: 2, seed: 2 })))
})

t.test('a roster holds as its account signed it', async (t) => {
  const roster = rosterOf([cardOf(1), cardOf(2)])
  assertRoster(DOMAIN, fleetRosterShape.parse(JSON.parse(JSON.stringify(roster))))
  const changes: ReadonlyArray<Partial<typeof roster>> = [
    { version: 2 }, { minAskBp: 1 }, { maxAskBp: 30_000 }, { account: memberSigner(1).address }, { members: roster.members.slice(1) }, { ephemeralKey: createSealKey(new Uint8Array(32).fill(1)).publicKey }, { signature: `0x${'f'.repeat(128)}` }
  ]
  for (const change of changes) t.throws(() => { assertRoster(DOMAIN, { ...roster, ...change }) }, { code: 'FLEET_ROSTER' }, JSON.stringify(change).slice(0, 60))
  t.throws(() => { assertRoster({ ...DOMAIN, chainId: 1 }, roster) }, { code: 'FLEET_ROSTER' }, 'another deployment')
  t.throws(() => { assertRoster(DOMAIN, rosterOf([], { minAskBp: 20_000, maxAskBp: 5_000 })) }, { code: 'FLEET_ROSTER' }, 'bounds the wrong way round')
})

t.test('members are told apart, and no more than 64', async (t) => {
  const [one, two] = [cardOf(1), cardOf(2)]
  for (const field of ['name', 'operator', 'peerId', 'sealKey'] as const) t.throws(() => rosterOf([one, { ...two, [field]: one[field] }]), { code: 'FLEET_MEMBER' }, field)
  t.throws(() => rosterOf(Array.from({ length: 65 }, (_, n) => cardOf(n + 1))), { code: 'FLEET_MEMBER' })
  t.throws(() => rosterOf([{ ...one, sealKey: `0x${'0'.repeat(64)}` }]), { code: 'FLEET_MEMBER' }, 'a point that gives everybody the same secret')
  const full = rosterOf(Array.from({ length: 64 }, (_, n) => ({ ...cardOf(n + 1), name: `node-${n}`.padEnd(32, 'x') })))
  t.ok(encodeCbor(full).length <= MAX_ROSTER_BYTES, `${encodeCbor(full).length} bytes`)
})

t.test('the newer of two rosters is the same one from both sides', async (t) => {
  const [a, b, c] = [rosterOf([], { seed: 1 }), rosterOf([], { seed: 2 }), rosterOf([], { version: 2 })]
  t.same([isNewerRoster(DOMAIN, c, a), isNewerRoster(DOMAIN, a, c), isNewerRoster(DOMAIN, a, a)], [true, false, false])
  t.not(isNewerRoster(DOMAIN, a, b), isNewerRoster(DOMAIN, b, a))
  t.equal(fleetRosterDigest(DOMAIN, a) === fleetRosterDigest(DOMAIN, b), false)
})

t.test('a seal opens with its key and data, unchanged', async (t) => {
  const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const [plain, data, nonce] = [new Uint8Array([1, 2, 3]), new Uint8Array([4]), new Uint8Array(12).fill(9)]
  const sealed = seal(key, plain, { nonce, data })
  t.strictSame(openSeal(key, sealed, data), plain)
  const flipped = (at: number): Uint8Array => sealed.map((byte, index) => index === at ? byte ^ 1 : byte)
  const bad: ReadonlyArray<[Uint8Array, Uint8Array, Uint8Array]> = [
    [other, sealed, data], [key, sealed, new Uint8Array([5])], [key, sealed.subarray(0, 20), data], [key, sealed.subarray(0, 30), data], ...[0, 12, sealed.length - 1].map((at): [Uint8Array, Uint8Array, Uint8Array] => [key, flipped(at), data])
  ]
  for (const [withKey, bytes, withData] of bad) t.throws(() => openSeal(withKey, bytes, withData), { code: 'FLEET_SEAL' })
})

t.test('the seal key is the operator\'s own, the same after every start', async (t) => {
  t.equal(sealKeyOf(memberSigner(1)).publicKey, sealKeyOf(memberSigner(1)).publicKey)
  t.not(sealKeyOf(memberSigner(1)).publicKey, sealKeyOf(owner).publicKey)
  const [alice, bob] = [sealKeyOf(owner), createSealKey(Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex'))]
  t.equal(bob.publicKey, '0xde9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f', 'as RFC 7748, section 6.1 has it')
  const salt = new Uint8Array(1)
  t.strictSame(alice.agree(bob.publicKey, salt, 'x'), bob.agree(alice.publicKey, salt, 'x'))
})
