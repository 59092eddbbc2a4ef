/** What a job costs elsewhere, in gas: measured on anvil from public contracts before, not run here. */

/** Lilypad v2 as shipped (commit 9ed86513): 4 transactions. */
export const LILYPAD = { name: 'Lilypad v2 as shipped, measured before', value: 1_769_496 }
/** The same with a mediator: 5 transactions. */
export const LILYPAD_MEDIATED = { name: 'Lilypad v2 as shipped, mediated, measured before', value: 2_013_915 }
/** Lilypad's later contracts (commit 37031b7d): a central controller sends 2 transactions. */
export const LILYPAD_CONTROLLER = { name: 'Lilypad\'s controller contracts, measured before', value: 1_080_100 }
/** MODiCuM-Online (commit 6b10aa74), as its authors published it: 7 transactions. */
export const MODICUM = { name: 'MODiCuM-Online, published', value: 793_525 }
