import t, { type Test } from 'tap'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBookNode, type BookNode, type Line } from '../support/book-node.ts'

/** A node in a process of its own; killed when the test ends. */
async function startNode (test: Pick<Test, 'teardown'>, folder: string, key: number): Promise<BookNode> {
  const node = await startBookNode(folder, key)
  test.teardown(async () => { await node.kill('SIGKILL') })
  return node
}
const idsOf = async (node: BookNode): Promise<unknown> => (await node.ask('ids'))['ids']
const whenSize = (size: number) => (line: Line): boolean => line.event === 'change' && (line['size'] as number) >= size

t.test('two processes: a late joiner gets all, gossip brings the new, kill -9 loses nothing that was published', async (t) => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'lily-book-')))
  t.teardown(() => { for (const folder of folders) rmSync(folder, { recursive: true, force: true }) })
  const [folderA = '', folderB = ''] = folders
  const a = await startNode(t, folderA, 1)
  await a.ask('publish 300')

  const b = await startNode(t, folderB, 2)
  t.equal(b.loaded, 0)
  await b.ask(`connect ${a.address}`)
  await b.until(whenSize(300))
  t.strictSame(await idsOf(b), await idsOf(a), 'the late joiner has every record')

  await b.ask('publish 1')
  await a.until(whenSize(301))
  t.strictSame(await idsOf(a), await idsOf(b), 'and what it publishes arrives')

  await a.kill('SIGKILL')
  const again = await startNode(t, folderA, 1)
  t.ok(again.loaded >= 300, 'every own record was loaded before it met anyone')
  await again.ask(`connect ${b.address}`)
  await again.ask('publish 1')
  await b.until(whenSize(302))
  for (let size = again.loaded; size < 302; size++) await again.until(whenSize(size + 1))
  t.strictSame(await idsOf(again), await idsOf(b))
  await again.ask('stop')
})
