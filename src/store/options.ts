/** Version of the layout on disk. A folder with another version is refused, never guessed at. */
export const DISK_VERSION = 1

/** Largest block we take; bitswap messages end at 4 MiB, and Helia's leaves are 1 MiB. */
export const MAX_BLOCK_BYTES = 2 * 1024 * 1024
/** Folder nesting of a tree; deeper ones are hostile or by mistake. */
export const MAX_TREE_DEPTH = 16
/** Characters of a path inside a tree: Linux refuses longer names of files (255) and of whole paths below a data folder. */
export const MAX_PATH_CHARS = 1024
/** Blocks asked for at once per fetch: hides the round trip, and holds at most that many blocks in the sender's memory. */
export const FETCH_CONCURRENCY = 16
/** Bytes a directory block may take per entry besides its name, so that structure cannot dwarf content. */
export const ENTRY_OVERHEAD_BYTES = 512
/** Structure allowed for any content: one file of one block still has a root. */
export const BASE_OVERHEAD_BYTES = 64 * 1024
/** Connecting to the peers that have the content may take this long before the others are asked. */
export const CONNECT_TIMEOUT_MS = 5000
/**
 * A block that the given peers did not send within this time is asked of all peers. Longer than RESEND_AFTER_MS, so that the
 * same peer answers again; a block that is still under way on a slow line then comes twice.
 */
export const SESSION_BLOCK_MS = 1500
/** Announcing a pinned root to the DHT may take this long; it runs in the background. */
export const PROVIDE_TIMEOUT_MS = 20_000
/** Wants wait this long to be sent together (library default: 10). */
export const WANT_DEBOUNCE_MS = 1
/**
 * A block sent to a peer is not sent again within this time (library default: 5 s). A peer that gave up a fetch and starts
 * again asks for what it did not keep.
 */
export const RESEND_AFTER_MS = 500
/** New peers are taken note of for this long, then what was pinned lately is announced once more to all of them. */
export const ANNOUNCE_DELAY_MS = 3000
/** Roots announced again when peers come; older ones are left to the DHT's own renewal. */
export const MAX_RECENT_ROOTS = 256
/** With more peers than the DHT's k the records are where they belong, and new peers change nothing. */
export const FEW_PEERS = 20
