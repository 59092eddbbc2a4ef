/** What both ends of the live view (protocol/view.md) agree on beyond y-protocols. */

/** Message types of y-protocols' connection, as y-websocket writes them. */
export const VIEW_MESSAGE = { sync: 0, awareness: 1, queryAwareness: 3 } as const

/** Close codes. Those from 4400 to 4499 tell y-websocket not to come back to the same room. */
export const VIEW_CLOSE = { stopping: 1001, malformed: 4400, rolled: 4410, flood: 4429 } as const

/** A room that there never is: who joins it is told the present one. */
export const NO_ROOM = 'current'
