import type { Random } from '../../src/core/random.ts'
import type { Rows, Task } from './rows.ts'

/**
 * The rows with models named by `wanted` of the tasks, by the rule that the trace's lists gpuspec05 to gpuspec33 follow as far as can be told from one of them: all
 * else of a task is as in the list `default`; which tasks name models hangs on nothing that is seen; which models hangs on how many GPUs a task asks for, and whether
 * for whole ones. What `rows` names stays; other tasks, drawn evenly among those of a kind, name what a drawn task of that kind names. The published lists have 278,
 * 337, 391, 427 and 457 different shapes with 369, 732, 1,444, 1,759 and 2,388 such tasks; made of the second with seeds 1 to 3 the last has 454, 447 and 446.
 */
export function specified (random: Random, rows: Rows, wanted: number, name: string): Rows {
  const tasks = [...rows.tasks]
  const naming = tasks.filter(({ models }) => models.length > 0)
  const others = new Map<string, number[]>()
  tasks.forEach((task, at) => {
    if (task.gpus === 0 || task.models.length > 0) return
    const places = others.get(kindOf(task))
    if (places === undefined) others.set(kindOf(task), [at])
    else places.push(at)
  })
  for (let left = wanted - naming.length; left > 0 && others.size > 0;) {
    const like = naming[random.below(naming.length)] as Task
    const places = others.get(kindOf(like))
    if (places === undefined) continue
    const [at] = places.splice(random.below(places.length), 1) as [number]
    if (places.length === 0) others.delete(kindOf(like))
    tasks[at] = { ...tasks[at] as Task, models: like.models }
    left--
  }
  return { ...rows, name, tasks }
}

function kindOf ({ gpus, gpuMilli }: Task): string {
  return `${gpus} ${gpuMilli < 1000 ? 'shared' : 'whole'}`
}
