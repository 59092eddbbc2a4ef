import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import secp256k1 from 'secp256k1/bindings.js'
import { hexToBytes } from 'viem'
import { decodeRecord } from '../src/wire/record.ts'
import { DOMAIN } from '../test/support/records.ts'
import { pullTransfer, serveTransfer } from './baselines/bare-transfer.ts'
import { cpuMs, machineMs, mainThreadMs, serveCommands } from './commands.ts'
import { unpackRecords } from './offers.ts'
import { startRealNode, type RealNode } from './real-node.ts'
import { countWireBytes } from './wire-bytes.ts'

/** One real node of `reconcile.ts`. */
const wireBytes = countWireBytes()
let node: RealNode | undefined
let packed: Uint8Array = new Uint8Array(0)
const running = (): RealNode => {
  if (node === undefined) throw new Error('not started')
  return node
}

/** Into the book without admission and without gossip: who loads has signed them itself. */
function add (bytes: Uint8Array): number {
  const { replica, clock } = running()
  for (const record of unpackRecords(bytes)) {
    const result = replica.book.merge(decodeRecord(DOMAIN, record), clock.now())
    if (result !== 'added') throw new Error(`a record of the benchmark is ${result}`)
  }
  return replica.book.size
}

async function timed<T> (work: () => Promise<T>): Promise<{ ms: number, cpuMs: number, mainThreadMs: number, wireBytes: number, value: T }> {
  const before = wireBytes()
  const [startCpuMs, startMainMs] = [cpuMs(), mainThreadMs()]
  const startMs = machineMs()
  const value = await work()
  return { ms: machineMs() - startMs, cpuMs: cpuMs() - startCpuMs, mainThreadMs: mainThreadMs() - startMainMs, wireBytes: wireBytes() - before, value }
}

async function untilSize (size: number): Promise<void> {
  const { book } = running().replica
  await new Promise<void>((resolve) => {
    const leave = book.onMember(() => {
      if (book.size < size) return
      leave()
      resolve()
    })
  })
}

/** Public keys from all signatures, by the native library alone. */
function recoverAll (): { ms: number, cpuMs: number } {
  const prepared = [...running().replica.book.members()].map(({ record }) => {
    const signature = hexToBytes(record.signature)
    const recid = (signature[32] as number) >> 7
    signature[32] = (signature[32] as number) & 0x7f
    return { signature, recid, digest: hexToBytes(record.id) }
  })
  const startCpuMs = cpuMs()
  const startMs = machineMs()
  for (const { signature, recid, digest } of prepared) secp256k1.ecdsaRecover(signature, recid, digest, false)
  return { ms: machineMs() - startMs, cpuMs: cpuMs() - startCpuMs }
}

serveCommands({
  start: async (folder: string) => {
    node = await startRealNode(folder)
    await serveTransfer(node.mesh.libp2p, () => packed)
    return { peerId: node.mesh.peerId, address: node.mesh.addresses()[0] }
  },
  load: async (path: string) => {
    packed = await readFile(path)
    return add(packed)
  },
  add: (bytes: Uint8Array) => add(bytes),
  /** Dials and waits for that many records: the schedule starts the session, as in any node. */
  join: async ({ address, size }: { address: string, size: number }) => await timed(async () => {
    const whole = untilSize(size)
    await running().mesh.connect(address, { signal: AbortSignal.timeout(30_000) })
    await whole
  }),
  reconcile: async (peer: string) => await timed(async () => await running().replica.reconcileNow(peer, AbortSignal.timeout(120_000))),
  pull: async (peer: string) => await timed(async () => await pullTransfer(running().mesh.libp2p, peer)),
  recover: () => recoverAll(),
  cpuMs,
  isEqual: (peer: string) => running().replica.status().peers.find((row) => row.peerId === peer)?.equal === true,
  digest: () => createHash('sha256').update(running().replica.book.ids().sort().join()).digest('hex')
}, async () => { await node?.stop() })
