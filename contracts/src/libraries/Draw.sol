// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MediatorList} from "./DealTypes.sol";

/// @title Stake-weighted draw of a mediator
/// @dev Weights are the terms'. Who is drawn and not live is passed over and the next is drawn: that is the
/// draw over the live ones, and asks for the bonds of the drawn only.
library Draw {
    /// @notice The list does not hash to the root in the terms, is uneven, or is longer than 64.
    error BadMediatorList();

    /// @dev One bit per mediator has to fit the 64 bits of the eligible set.
    uint256 internal constant MAX_MEDIATORS = 64;
    uint256 internal constant NOBODY = type(uint256).max;

    /// @dev Reverts unless `list` is the preimage of `root`.
    function check(MediatorList calldata list, bytes32 root) internal pure {
        if (
            list.mediators.length != list.weights.length || list.mediators.length > MAX_MEDIATORS
                || keccak256(abi.encode(list.mediators, list.weights)) != root
        ) revert BadMediatorList();
    }

    /// @dev The seed of a deal. Neither salt is known to the other side when terms are signed.
    function seed(bytes32 saltCreator, bytes32 saltProvider, bytes32 dealId) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("lilynode/draw/1", saltCreator, saltProvider, dealId));
    }

    /// @dev The seed of draw `number` of a round; the first of all is the deal's own seed.
    function next(bytes32 seed_, uint256 round, uint256 number) internal pure returns (bytes32) {
        return round == 0 && number == 0 ? seed_ : keccak256(abi.encode(seed_, round, number));
    }

    /// @dev Index of the mediator whose weight interval holds `seed mod total`; NOBODY if no weight is
    /// eligible.
    function pick(MediatorList calldata list, uint64 eligible, bytes32 seed_) internal pure returns (uint256) {
        uint256 total;
        unchecked {
            for (uint256 i; i < list.weights.length; ++i) {
                if (eligible >> i & 1 == 1) total += list.weights[i];
            }
            if (total == 0) return NOBODY;
            uint256 point = uint256(seed_) % total;
            for (uint256 i; i < list.weights.length; ++i) {
                if (eligible >> i & 1 == 0) continue;
                if (point < list.weights[i]) return i;
                point -= list.weights[i];
            }
        }
        return NOBODY;
    }
}
