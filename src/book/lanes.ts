/**
 * Works a few at a time until `next` has nothing more to start. After a failure nothing new is started; rejects with the first
 * when all that was under way has ended.
 */
export async function inLanes (count: number, next: () => Promise<void> | undefined): Promise<void> {
  let isBroken = false
  const lane = async (): Promise<void> => {
    try {
      for (let work = next(); work !== undefined; work = isBroken ? undefined : next()) await work
    } catch (error) {
      isBroken = true
      throw error
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: count }, lane))
  const failed = lanes.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
