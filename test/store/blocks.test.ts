import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withBitswap } from '@helia/bitswap'
import { FsBlockstore } from 'blockstore-fs'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import t, { type Test } from 'tap'
import { silentLogger as logger } from '../../src/core/logger.ts'
import { createBlocks, type Blocks } from '../../src/store/blocks.ts'
import { soon, startNode, text, type TestNode } from '../mesh/nodes.ts'

interface BlockNode extends TestNode { blocks: Blocks, path: string }

async function startBlocks (t: Test, options: Parameters<typeof startNode>[1] = {}): Promise<BlockNode> {
  const node = await startNode(t, options)
  const path = join(node.folder, 'blocks')
  const blocks = createBlocks({ mesh: node.mesh, datastore: node.datastore, logger }, { path })
  // Registered after the node's own teardown, so it runs before it.
  t.teardown(async () => { await blocks.stop() })
  return { ...node, blocks, path }
}
async function startTwo (t: Test): Promise<[BlockNode, BlockNode]> {
  const a = await startBlocks(t)
  const b = await startBlocks(t)
  await b.mesh.connect(a.mesh.addresses()[0] ?? '', { signal: soon() })
  return [a, b]
}
const tree = (entries: Record<string, string>): Map<string, Uint8Array> => new Map(Object.entries(entries).map(([path, content]) => [path, text(content)]))
const plain = (files: ReadonlyMap<string, Uint8Array>): Record<string, string> => Object.fromEntries([...files].sort().map(([path, content]) => [path, new TextDecoder().decode(content)]))

/** A protobuf field of bytes or of a small integer. */
const field = (id: number, value: Uint8Array | number): number[] => typeof value === 'number' ? [id << 3, ...varint(value)] : [(id << 3) | 2, ...varint(value.byteLength), ...value]
const varint = (value: number): number[] => value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
const cidOf = (codec: number, block: Uint8Array): CID => CID.createV1(codec, create(0x12, new Uint8Array(createHash('sha256').update(block).digest())))

/** Writes blocks by hand into a node's store, as a hostile peer would. */
async function forge (node: BlockNode): Promise<{ raw: (content: string) => Promise<CID>, folder: (links: Array<[string, CID]>) => Promise<CID>, file: (leaves: CID[], leafBytes: number) => Promise<CID> }> {
  const store = new FsBlockstore(node.path)
  await store.open()
  const put = async (codec: number, block: Uint8Array): Promise<CID> => await store.put(cidOf(codec, block), block)
  const dag = async (links: Array<[string, CID]>, data: number[]): Promise<CID> => await put(0x70, Uint8Array.from([
    ...links.flatMap(([name, cid]) => field(2, Uint8Array.from([...field(1, cid.bytes), ...field(2, text(name)), ...field(3, 1)]))),
    ...field(1, Uint8Array.from(data))
  ]))
  return {
    raw: async (content) => await put(0x55, text(content)),
    folder: async (links) => await dag(links, field(1, 1)),
    file: async (leaves, leafBytes) => await dag(leaves.map((leaf) => ['', leaf]), [...field(1, 2), ...field(3, leaves.length * leafBytes), ...leaves.flatMap(() => field(4, leafBytes))])
  }
}

t.test('trees and bytes travel between nodes and keep their CID, whatever the order of files', async (t) => {
  const [a, b] = await startTwo(t)
  t.equal(b.blocks.loaded, false)
  const files = tree({ 'out/stdout': 'hello', 'out/deep/er/x': '', 'a.txt': 'a' })
  const cid = await a.blocks.addTree(files, { pin: false, signal: soon() })
  t.equal(await a.blocks.addTree(new Map([...files].reverse()), { pin: false, signal: soon() }), cid)
  t.equal(cid, 'bafybeiddg4k5xcwvrsdzx7uve55jblve7fktlzglkxwgjkatdhscos3iw4')
  t.same(plain(await b.blocks.getTree(cid, { maxBytes: 100, maxFiles: 3, signal: soon(), from: [a.mesh.peerId] })), plain(files))
  t.equal(b.blocks.loaded, true)
  const big = new Uint8Array(3.5 * 2 ** 20).map((_, i) => i * 7 + (i >> 8))
  for (const content of [new Uint8Array(), text('x'), big]) {
    const id = await a.blocks.addBytes(content, { pin: false, signal: soon() })
    t.same(createHash('sha256').update(await b.blocks.getBytes(id, { maxBytes: content.byteLength, signal: soon(20_000), from: [a.mesh.peerId] })).digest(), createHash('sha256').update(content).digest())
  }
  const empty = await a.blocks.addTree(new Map(), { pin: false, signal: soon() })
  t.equal((await b.blocks.getTree(empty, { maxBytes: 0, maxFiles: 0, signal: soon() })).size, 0, 'also without being told who has it')
})

t.test('a peer without the content does not keep another one from giving it', async (t) => {
  const [a, b] = await startTwo(t)
  const useless = await startBlocks(t)
  await useless.blocks.addBytes(text('something else'), { pin: false, signal: soon() })
  await b.mesh.connect(useless.mesh.addresses()[0] ?? '', { signal: soon() })
  const cid = await a.blocks.addBytes(text('wanted'), { pin: false, signal: soon() })
  t.same(await b.blocks.getBytes(cid, { maxBytes: 100, signal: soon(), from: [useless.mesh.peerId] }), text('wanted'))
  t.same(await b.blocks.getBytes(await a.blocks.addBytes(text('more'), { pin: false, signal: soon() }), { maxBytes: 100, signal: soon(), from: ['12D3KooWAhpdgTkSCK1HEnckiVGNGuQKzGA3rrsvKaLuncRvpLZY', a.mesh.peerId] }), text('more'))
})

t.test('a pinned root is found through the DHT by a node that was told nothing', async (t) => {
  const bootstrap = await startNode(t)
  const a = await startBlocks(t, { bootstrap: bootstrap.mesh.addresses() })
  const cid = await a.blocks.addBytes(text('module'), { pin: true, announce: true, signal: soon() })
  const b = await startBlocks(t, { bootstrap: bootstrap.mesh.addresses() })
  t.same(await b.blocks.getBytes(cid, { maxBytes: 100, signal: soon(15_000) }), text('module'))
  // Bitswap also asks whom it is connected to, so the directory itself is looked at too.
  const providers = new Set<string>()
  const signal = soon(15_000)
  while (!providers.has(a.mesh.peerId)) {
    signal.throwIfAborted()
    for await (const provider of b.mesh.libp2p.contentRouting.findProviders(CID.parse(cid), { signal })) providers.add(provider.id.toString())
  }
  t.ok(providers.has(a.mesh.peerId))
})

t.test('content nobody has, a bad CID and a stop end a read with their codes', async (t) => {
  const [a, b] = await startTwo(t)
  const missing = cidOf(0x55, text('nobody has this')).toString()
  await a.blocks.addBytes(text('x'), { pin: false, signal: soon() })
  await t.rejects(b.blocks.getBytes(missing, { maxBytes: 10, signal: soon(300), from: [a.mesh.peerId] }), { code: 'STORE_NOT_FOUND' })
  await t.rejects(b.blocks.getTree(cidOf(0x70, text('nor this')).toString(), { maxBytes: 10, maxFiles: 1, signal: soon(300) }), { code: 'STORE_NOT_FOUND' })
  await t.rejects(b.blocks.getBytes('not a cid', { maxBytes: 10, signal: soon() }), { code: 'STORE_CID' })
  await t.rejects(b.blocks.pin(missing, { signal: soon() }), { code: 'STORE_NOT_FOUND' }, 'pinning does not fetch')
  const reading = b.blocks.getBytes(missing, { maxBytes: 10, signal: soon(60_000) })
  reading.catch(() => undefined)
  await b.blocks.stop()
  await t.rejects(reading, { code: 'STORE_CLOSED' })
  await t.rejects(b.blocks.getBytes(missing, { maxBytes: 10, signal: soon() }), { code: 'STORE_CLOSED' })
})

t.test('a peer that sends other bytes than the CID says is not believed', async (t) => {
  const liar = await startNode(t)
  const truth = text('what was asked for')
  const cid = cidOf(0x55, truth)
  const asked: string[] = []
  const helia = createHeliaLight({
    blockstore: { has: async (key: CID) => key.equals(cid), get: async function * (key: CID) { asked.push(key.toString()); yield text('something else') }, put: async (key: CID) => key } as never,
    routers: [{ name: 'none' }]
  })
  withBitswap(Object.assign(helia, { libp2p: liar.mesh.libp2p }))
  await helia.start()
  t.teardown(async () => { await helia.stop() })
  const b = await startBlocks(t)
  await b.mesh.connect(liar.mesh.addresses()[0] ?? '', { signal: soon() })
  await t.rejects(b.blocks.getBytes(cid.toString(), { maxBytes: 100, signal: soon(1000), from: [liar.mesh.peerId] }), { code: 'STORE_NOT_FOUND' })
  t.ok(asked.includes(cid.toString()), 'the liar was asked and answered')
})

t.test('a block damaged on our own disk is noticed, not served, and can be fetched again', async (t) => {
  const [a, b] = await startTwo(t)
  const cid = await a.blocks.addBytes(text('precious'), { pin: false, signal: soon() })
  const get = async (node: BlockNode, ms: number): Promise<Uint8Array> => await node.blocks.getBytes(cid, { maxBytes: 100, signal: soon(ms), from: [a.mesh.peerId] })
  t.same(await get(b, 8000), text('precious'))
  const damage = (node: BlockNode): void => {
    for (const name of readdirSync(node.path, { recursive: true, encoding: 'utf8' })) {
      const file = join(node.path, name)
      if (statSync(file).isFile() && readFileSync(file, 'utf8') === 'precious') writeFileSync(file, 'previous')
    }
  }
  damage(b)
  await t.rejects(get(b, 8000), { code: 'STORE_CORRUPT' })
  damage(a)
  const c = await startBlocks(t)
  await c.mesh.connect(a.mesh.addresses()[0] ?? '', { signal: soon() })
  await t.rejects(get(c, 500), { code: 'STORE_NOT_FOUND' }, 'a does not hand out its damaged one')
  await a.blocks.addBytes(text('precious'), { pin: false, signal: soon() })
  t.same(await get(b, 8000), text('precious'), 'b removed its own')
})

t.test('hostile trees are refused', async (t) => {
  const [a, b] = await startTwo(t)
  await a.blocks.addBytes(text('loads Helia'), { pin: false, signal: soon() })
  const make = await forge(a)
  const leaf = await make.raw('leaf')
  const get = async (root: CID, maxBytes = 1000, maxFiles = 5): Promise<Map<string, Uint8Array>> => await b.blocks.getTree(root.toString(), { maxBytes, maxFiles, signal: soon(), from: [a.mesh.peerId] })
  t.same(plain(await get(await make.folder([['good', leaf]]))), { good: 'leaf' }, 'the forge makes valid trees')
  for (const name of ['..', '.', '', '../x', 'a/b', '/etc/passwd', 'a\\b', 'a\nb', 'a\0b', 'x'.repeat(256)]) {
    await t.rejects(get(await make.folder([[name, leaf]])), { code: 'STORE_TREE_INVALID' }, JSON.stringify(name))
  }
  await t.rejects(get(await make.folder([['a', await make.folder([['..', leaf]])]])), { code: 'STORE_TREE_INVALID' }, 'below the root')
  await t.rejects(get(await make.folder([['same', leaf], ['same', await make.raw('other')]])), { code: 'STORE_TREE_INVALID' }, 'two of one name')
  await t.rejects(get(await make.folder('abcdef'.split('').map((name) => [name, leaf]))), { code: 'STORE_TREE_INVALID' }, 'too many files')
  await t.rejects(get(await make.folder([['a', leaf], ['b', leaf]]), 7), { code: 'STORE_TREE_INVALID' }, 'too many bytes together')
  let deep = await make.folder([['x', leaf]])
  for (let i = 0; i < 20; i++) deep = await make.folder([['d', deep]])
  await t.rejects(get(deep, 1000, 50), { code: 'STORE_TREE_INVALID' }, 'too deep')
  let wide = await make.folder([['a', leaf], ['b', leaf]])
  for (let i = 0; i < 14; i++) wide = await make.folder([['a', wide], ['b', wide]])
  await t.rejects(get(wide), { code: 'STORE_TREE_INVALID' }, 'a tree of 16,384 files in 15 blocks')
  await t.rejects(get(leaf), { code: 'STORE_TREE_INVALID' }, 'not a folder')
  await t.rejects(get(await make.folder([['x', CID.createV1(0x71, leaf.multihash)]])), { code: 'STORE_TREE_INVALID' }, 'not UnixFS')
  const bomb = await make.file(Array.from({ length: 300 }, () => leaf), 4)
  await t.rejects(get(await make.folder([['bomb', bomb]])), { code: 'STORE_TREE_INVALID' }, 'one leaf, many times')
  const lie = await make.file([leaf], 8)
  await t.rejects(get(await make.folder([['lie', lie]])), { code: 'STORE_TREE_INVALID' }, 'sizes that are not true')
  await t.rejects(b.blocks.getBytes(bomb.toString(), { maxBytes: 1000, signal: soon(), from: [a.mesh.peerId] }), { code: 'STORE_TOO_LARGE' })
  await t.rejects(b.blocks.getBytes(leaf.toString(), { maxBytes: 3, signal: soon(), from: [a.mesh.peerId] }), { code: 'STORE_TOO_LARGE' })
})

t.test('a tree with paths that are not allowed is not added', async (t) => {
  const { blocks } = await startBlocks(t)
  for (const path of ['../x', 'a//b', '/x', 'x/', '', 'a/../b', Array.from({ length: 17 }, () => 'd').join('/')]) await t.rejects(blocks.addTree(tree({ [path]: 'x' }), { pin: false, signal: soon() }), { code: 'STORE_TREE_INVALID' }, path)
  await t.rejects(blocks.addTree(tree({ a: 'x', 'a/b': 'x' }), { pin: false, signal: soon() }), { code: 'STORE_TREE_INVALID' })
  t.equal(blocks.loaded, false)
})

t.test('pins survive collection and a restart; the rest goes', async (t) => {
  const first = await startBlocks(t)
  const kept = await first.blocks.addTree(tree({ 'a/b': 'kept' }), { pin: true, signal: soon() })
  const loose = await first.blocks.addBytes(text('loose'), { pin: false, signal: soon() })
  const late = await first.blocks.addBytes(text('late'), { pin: false, signal: soon() })
  await first.blocks.pin(late, { signal: soon() })
  await first.blocks.pin(late, { signal: soon() })
  t.same(await Promise.all([kept, loose, late].map(async (cid) => await first.blocks.isPinned(cid))), [true, false, true])
  await first.blocks.stop()
  await first.stop()

  const again = await startBlocks(t, { folder: first.folder })
  t.equal(await again.blocks.isPinned(kept), true)
  await again.blocks.unpin(late, { signal: soon() })
  await again.blocks.unpin(late, { signal: soon() })
  await again.blocks.collect({ signal: soon() })
  t.same(plain(await again.blocks.getTree(kept, { maxBytes: 10, maxFiles: 1, signal: soon() })), { 'a/b': 'kept' })
  for (const cid of [loose, late]) await t.rejects(again.blocks.getBytes(cid, { maxBytes: 10, signal: soon(200) }), { code: 'STORE_NOT_FOUND' })
})

t.test('a restarted node serves what it has without having loaded Helia', async (t) => {
  const first = await startBlocks(t)
  const cid = await first.blocks.addTree(tree({ a: '1', b: '2', c: '3' }), { pin: true, signal: soon() })
  await first.blocks.stop()
  await first.stop()
  const again = await startBlocks(t, { folder: first.folder })
  await again.blocks.start()
  const other = await startBlocks(t)
  await other.blocks.start()
  await other.mesh.connect(again.mesh.addresses()[0] ?? '', { signal: soon() })
  t.equal(again.blocks.loaded, false)
  t.same(plain(await other.blocks.getTree(cid, { maxBytes: 10, maxFiles: 3, signal: soon(), from: [again.mesh.peerId] })), { a: '1', b: '2', c: '3' })
  t.equal(again.blocks.loaded, true)
})

t.test('a block folder that cannot be used is named', async (t) => {
  const node = await startNode(t)
  mkdirSync(node.folder, { recursive: true })
  writeFileSync(join(node.folder, 'blocks'), 'a file')
  const blocks = createBlocks({ mesh: node.mesh, datastore: node.datastore, logger }, { path: join(node.folder, 'blocks') })
  await t.rejects(blocks.addBytes(text('x'), { pin: false, signal: soon() }), { code: 'STORE_IO' })
  await blocks.stop()
})
