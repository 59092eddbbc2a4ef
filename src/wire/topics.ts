/** protocol/topics.md. Topic of signed records of one chain and shard. */
export function recordsTopic (chainId: number, shard: number): string {
  return `/lily/records/1/${chainId}/${shard}`
}

/** Topic of commits and reveals of one chain's auction. */
export function auctionTopic (chainId: number): string {
  return `/lily/auction/1/${chainId}`
}
