/** What a node chooses about its peer-to-peer host. Everything but `network` and `topics` has a default. */
export interface MeshOptions {
  /** Keeps role directories of different networks apart, e.g. the chain id as text. */
  network: string
  /** Every topic this node may ever subscribe to; other topics of peers are not even tracked. */
  topics: readonly string[]
  /** Multiaddrs to listen on. */
  listen?: readonly string[]
  /** Multiaddrs to tell others instead of the ones listened on (NAT, reverse proxy). */
  announce?: readonly string[]
  /** Multiaddrs of nodes to join through; retried for ever. */
  bootstrap?: readonly string[]
  /** The network's pre-shared key, 64 hex digits: only nodes that have it connect. */
  psk?: string | undefined
  /** True for a network on the internet: private addresses are neither announced nor dialled. */
  isPublic?: boolean
  /** Whether others can dial this node. `auto`: what other nodes find out, on a public network; elsewhere nobody asks. */
  reachability?: 'auto' | 'public' | 'private'
  /** On a public network a node that no other could dial for so long counts as private, in ms. */
  reachabilityGraceMs?: number
  /** Let nodes that cannot be dialled be reached through this one. */
  relay?: boolean
  /** Ask the router of the local network for a port (UPnP). */
  upnp?: boolean
  /** False leaves TCP out, as a browser must. */
  tcp?: boolean
  /** Peers to stay connected to while that many are known. */
  targetPeers?: number
  /** Connections above this are pruned. */
  maxConnections?: number
  /** How long a graylisted peer is refused, in ms. */
  graylistMs?: number
  /** Lets libp2p log what the variable DEBUG of the environment names, e.g. `libp2p:*`; else it logs nothing. */
  libp2pLog?: boolean
}

/** Loopback only: a node reaches the outside when its owner says so. */
export const DEFAULT_LISTEN: readonly string[] = ['/ip4/127.0.0.1/tcp/0']
/** Gossipsub's D is 6: with a few connections more every topic mesh can be full, also beside neighbours whose own is. */
export const DEFAULT_TARGET_PEERS = 8
/** libp2p's default of 300 costs about 30 MB of sockets and streams; 128 leaves room on a small machine. */
export const DEFAULT_MAX_CONNECTIONS = 128
/** Long enough that flooding does not pay, short enough that an operator who fixed a bug is not lost for a day. */
export const DEFAULT_GRAYLIST_MS = 10 * 60_000

/** Largest gossip message in bytes; also the outer bound of every `maxBytes` of a subscription. */
export const MAX_GOSSIP_BYTES = 256 * 1024
/**
 * Largest gossip packet. An answer to IWANT carries many messages in one packet, and a packet above the limit ends the
 * stream for good, so this is four of the largest messages (libp2p: 4 MiB).
 */
export const MAX_GOSSIP_PACKET_BYTES = 4 * MAX_GOSSIP_BYTES
/**
 * A message of this size on makes us tell the other peers of the mesh that we have it (libp2p: 512). That is before it is judged: a
 * flood of small messages would cost us and everybody around us a packet each.
 */
export const IDONTWANT_MIN_BYTES = 16 * 1024
/** Bytes waiting for one slow peer before gossip to it is dropped: 16 messages of the largest size. */
export const MAX_GOSSIP_OUTBOUND_BYTES = 4 * 1024 * 1024
/**
 * What is accepted is passed on after less than this, drawn each time, with all that came meanwhile. Neighbours send each other less
 * of what both have; a node hears of it from the first of its neighbours, so that a hop takes a fraction of it longer.
 */
export const FORWARD_SPREAD_MS = 40
/** Where many messages come from several neighbours it grows, at most to this, and they are announced, not sent: MESSAGE_HEARTBEATS are eight times as long. */
export const FORWARD_SPREAD_PATIENT_MS = 1_000
/** By this for each message a second: a neighbour gets some five packets a second at most; at ten messages a second they carry two each, at fifty two dozen. */
export const FORWARD_RATE_MS = 20
/** And only where so many peers, on the mean, have sent a message by the time we pass it on: our neighbours have others who are as quick. */
export const PATIENT_COPIES = 1.5
/** A timer that fires so late says that its node is behind. */
export const LATE_MS = 10
/** What can wait then waits again, for once to twice as long as this. */
export const AGAIN_MS = 100
/**
 * The ids of accepted messages are told to peers outside of the mesh every so many heartbeats. A packet of ids costs its receiver as much
 * as one with a new record in it.
 */
export const IDS_EVERY_HEARTBEATS = 3
/** Ids of so many heartbeats are told: a message that waits to be passed on when they are is told the next time. */
export const IDS_HEARTBEATS = 5
/** Messages are kept this many heartbeats for those who were told of them, three more than they are told. */
export const MESSAGE_HEARTBEATS = 8
/** Peers that are told, at least, and their share of those that might be (gossipsub's gossip factor). */
export const IDS_PEERS = 3
export const IDS_GOSSIP_FACTOR = 0.25
/** Ids that are told of one topic; others take as many. */
export const MAX_IDS_PER_TOPIC = 2_000
/** And of all topics in one packet: half of the largest one. */
export const MAX_IDS_PER_PACKET = 16_384
/** Packets of ids that are read of a peer between two heartbeats, and ids in each: gossipsub's own limits, which it does not export. */
export const MAX_ANNOUNCEMENTS = 10
export const MAX_ANNOUNCED_IDS = 5_000
/** A message that was asked for may take this long before its absence counts against who announced it (gossipsub: 3 s, less than a busy machine's worst). */
export const ASKED_TIMEOUT_MS = 10_000
/** Messages in a packet of ours; others take 256. */
export const MAX_PACKET_MESSAGES = 128
/** Messages being validated at once; above, new ones are ignored, which costs nobody score. Lotus: 256 per topic, two topics. */
export const MAX_PENDING_VALIDATIONS = 512

/** Packets with subscriptions a peer may send: it names its topics once per stream, and each one that it joins or leaves later. */
export const SUBSCRIPTION_PACKETS_PER_SECOND = 16
/** As many at once: a node that joins every shard, 130 topics, while it is connected. */
export const SUBSCRIPTION_PACKETS_BURST = 160

/** libp2p resets a paused stream that buffered more than 4 MiB; half of it as flow-control window never gets there, and carries 20 MB/s at 100 ms. */
export const MAX_STREAM_WINDOW_BYTES = 2 * 1024 * 1024
/** Inbound streams per connection and protocol; our own limits answer with an error code, libp2p's only reset. */
export const MAX_STREAMS_PER_PROTOCOL = 256
/** New connections per second from one address: many nodes behind one address, or one machine in tests (default 5). */
export const INBOUND_CONNECTIONS_PER_SECOND = 200
/** Connections in the handshake at once (default 10, which one machine with 20 nodes exceeds). */
export const MAX_PENDING_INBOUND_CONNECTIONS = 100
/** Each connection is looked at this often, from both sides, and pinged where it was silent for half of it. */
export const PING_INTERVAL_MS = 30_000
/** A ping may take this long before the connection counts as dead: a loaded machine stalls for seconds. */
export const PING_TIMEOUT_MS = 15_000

/** Provider records live this long; a dead node is offered to others at most that long (libp2p: 48 h). */
export const ROLE_VALIDITY_MS = 20 * 60_000
/** Records are renewed at half their life, so that one failed renewal is harmless. */
export const ROLE_RENEW_MS = ROLE_VALIDITY_MS / 2
/** How often expired records of others are swept. */
export const ROLE_SWEEP_MS = 60_000
/** Addresses of known peers are kept a week (libp2p: 1 h), so that a node that was off finds its network without a bootstrap node. */
export const PEER_ADDRESS_AGE_MS = 7 * 24 * 3_600_000

export const DHT_PROTOCOL = '/lily/kad/1.0.0'
/** A connection older than this has been identified and taken up by the DHT, or it failed. */
export const IDENTIFY_MS = 1_000
/** First pause between attempts to join; doubles up to RETRY_MAX_MS. */
export const RETRY_MIN_MS = 250
/** A node that waits for its bootstrap node notices it within this time. */
export const RETRY_MAX_MS = 15_000
/** Directory lookups of a node that wants more peers lie this far apart: one costs a stream to every peer near the key. */
export const LOOKUP_GAP_MS = 1_000
/** New peers are gathered this long before records are put to them as well: nodes of one site often start together. */
export const PROVIDE_AGAIN_MS = 3_000
/** One attempt to dial or to ask the directory may take this long. */
export const ATTEMPT_TIMEOUT_MS = 8_000
/** Peers dialled per round: reaches DEFAULT_TARGET_PEERS in one. */
export const DIALS_PER_ROUND = 8

/** Lotus' thresholds: below `gossip` no gossip is exchanged, below `publish` we do not publish to the peer, below `graylist` it is cut. */
export const SCORE_THRESHOLDS = {
  gossipThreshold: -500,
  publishThreshold: -1000,
  graylistThreshold: -2500,
  acceptPXThreshold: 1000,
  opportunisticGraftThreshold: 3.5
} as const
/** Penalties of `penalise` halve in this time, as slow as invalid gossip in Lotus is forgotten. */
export const PENALTY_HALF_LIFE_MS = 10 * 60_000
/** Points for one request above the rate: 500 of them at once cut a peer. */
export const PENALTY_RATE = 5
/** Points for one oversized or malformed request frame: 25 of them cut a peer. */
export const PENALTY_MALFORMED = 100
/** Peers remembered for penalties, buckets and the graylist each; the oldest is forgotten first. */
export const MAX_REMEMBERED_PEERS = 4096

/** Relays that a node keeps a place at which nobody can dial: one may go without the node losing its address. */
export const RELAYS_WANTED = 2
/** First pause between searches for relays; doubles up to RELAY_RETRY_MAX_MS while none is found. */
export const RELAY_RETRY_MIN_MS = 500
/** A node without a relay is out of reach, so that it looks once a minute at least. */
export const RELAY_RETRY_MAX_MS = 60_000
/** A relay that refused is left alone this long; doubles up to RELAY_REST_MAX_MS, since a full relay stays full for a while. */
export const RELAY_REST_MIN_MS = 5_000
export const RELAY_REST_MAX_MS = 10 * 60_000
/** Possible relays dialled per search: enough for both places even if half of them are gone. */
export const RELAY_DIALS_PER_ROUND = 4

/** Places at one relay: half of DEFAULT_MAX_CONNECTIONS, so that nodes which need no relay still get in. */
export const RELAY_MAX_RESERVATIONS = 64
/** Places for one public address: several nodes of a household, not a stranger with a thousand peer ids. */
export const RELAY_RESERVATIONS_PER_ADDRESS = 8
/** A place is held so long without being renewed (libp2p: 2 h); nodes renew five minutes before. */
export const RELAY_RESERVATION_MS = 30 * 60_000
/** A relayed connection lasts at most so long (libp2p: 2 min); it is made anew while both want it. */
export const RELAY_CONNECTION_MS = 10 * 60_000
/** Bytes over one relayed connection (libp2p: 128 KiB, which one reconciliation of a book exceeds): a result of a few blocks of 1 MiB. */
export const RELAY_CONNECTION_BYTES = 16 * 1024 * 1024
/** Relayed connections of one place at once; DEFAULT_TARGET_PEERS twice. */
export const RELAY_STREAMS_PER_NODE = 16
/** New relayed connections per minute of one asker, and of all: with RELAY_CONNECTION_BYTES at most 18 MB/s. */
export const RELAY_CONNECTS_PER_PEER = 8
export const RELAY_CONNECTS_PER_MINUTE = 64

/** Long enough for several peers to have tried, short enough that a new node behind a NAT is soon reached through relays. */
export const DEFAULT_REACHABILITY_GRACE_MS = 30_000
/** How often a node looks whether it can be dialled, besides at every change of its addresses. */
export const REACHABILITY_CHECK_MS = 15_000
/** One address of a peer may take this long to answer (libp2p: 6 s): a relayed address comes last, after direct ones that may be dead. */
export const ADDRESS_DIAL_TIMEOUT_MS = 3_000
