import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Machine, Rows, Task } from './rows.ts'

/**
 * Alibaba's cluster-trace-gpu-v2023 (github.com/alibaba/clusterdata, folder csv; Weng et al., USENIX ATC'23), read from a folder of the user's: the trace may be
 * used for research and study and is not ours to pass on. `list` is a pod list's name without its head, as "default" or "gpushare40". Throws when a file is missing.
 */
export async function readTrace (folder: string, list: string): Promise<Rows> {
  const nodes = await readTable(join(folder, 'openb_node_list_all_node.csv'))
  const pods = await readTable(join(folder, `openb_pod_list_${list}.csv`))
  const machines: Machine[] = nodes.map((row) => ({ cpuMilli: Number(row['cpu_milli']), memoryMiB: Number(row['memory_mib']), gpus: Number(row['gpu']), model: row['model'] ?? '' }))
  const tasks: Task[] = pods.map((row) => ({
    cpuMilli: Number(row['cpu_milli']), memoryMiB: Number(row['memory_mib']), gpus: Number(row['num_gpu']), gpuMilli: Number(row['gpu_milli']),
    models: [...new Set((row['gpu_spec'] ?? '').split('|').filter((model) => model !== ''))].sort(),
    ...(row['creation_time'] === undefined || row['deletion_time'] === undefined ? {} : { span: { fromS: Number(row['creation_time']), untilS: Number(row['deletion_time']) } })
  }))
  return { name: list, machines, tasks }
}

async function readTable (path: string): Promise<Array<Record<string, string>>> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  const names = head.split(',')
  for (const name of ['cpu_milli', 'memory_mib']) if (!names.includes(name)) throw new Error(`${basename(path)} has no column ${name}`)
  return lines.map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? '']))
  })
}
