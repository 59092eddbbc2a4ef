// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {IMediators} from "./interfaces/IMediators.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title The register of mediators; their bonds stand in the Vault
abstract contract Mediators is IMediators {
    using EnumerableSet for EnumerableSet.AddressSet;

    IVault public immutable VAULT;
    /// @notice nLILY a mediator must have bonded to be drawn.
    uint64 public immutable MIN_BOND;

    EnumerableSet.AddressSet internal _mediators;
    /// @dev Time of registration in the lowest 64 bits, zero if off the register; next nonce above.
    mapping(address mediator => uint256) internal _entries;

    constructor(IVault vault, uint64 minBond) {
        VAULT = vault;
        MIN_BOND = minBond;
    }

    /// @dev Registered at `time` at the latest, and bonded now.
    function _isLiveSince(address mediator, uint256 time) internal view returns (bool) {
        uint64 since = uint64(_entries[mediator]);
        return since != 0 && since <= time && VAULT.bondOf(mediator) >= MIN_BOND;
    }

    function _enlist(address account, bool listed) internal {
        uint256 entry = _entries[account] >> 64 << 64;
        if (listed) {
            uint64 bond = VAULT.bondOf(account);
            if (bond < MIN_BOND) revert BondTooLow(bond, MIN_BOND);
            if (!_mediators.add(account)) revert BadRegistration();
            _entries[account] = entry | block.timestamp;
            emit MediatorRegistered(account);
        } else {
            if (!_mediators.remove(account)) revert BadRegistration();
            _entries[account] = entry;
            emit MediatorRetired(account);
        }
    }
}
