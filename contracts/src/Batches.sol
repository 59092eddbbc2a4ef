// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Faults} from "./Faults.sol";
import {BatchLedger} from "./BatchLedger.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title Deals in batches: sessions, batches and solvers' faults, as one contract
/// @dev `multicall` lets a solver settle one batch and commit the next in one transaction.
contract Batches is Faults, Multicall {
    /// @dev The last contract of a deployment: it refuses a set that does not fit together.
    constructor(IVault vault, IMarket market) BatchLedger(vault, market) {
        if (
            vault.BATCHES() != address(this) || market.BATCHES() != address(this) || vault.MARKET() != address(market)
        ) revert BadBatches();
    }
}
