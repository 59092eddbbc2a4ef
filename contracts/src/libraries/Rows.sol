// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Fields of the packed rows and owners of a batch (protocol/batches.md)
library Rows {
    uint256 internal constant MASK = (1 << 56) - 1;

    /// @dev The account of an owner word.
    function account(uint256 owner) internal pure returns (address) {
        return address(uint160(owner));
    }

    /// @dev Index of the creator among the owners.
    function creator(uint256 row) internal pure returns (uint256) {
        return row & 0xff;
    }

    /// @dev Index of the provider among the owners.
    function provider(uint256 row) internal pure returns (uint256) {
        return row >> 8 & 0xff;
    }

    /// @dev The deal's bit in its creator's nullifier word, as a mask.
    function mark(uint256 row) internal pure returns (uint256) {
        return 1 << (row >> 16 & 0xff);
    }

    /// @dev nLILY of the price.
    function price(uint256 row) internal pure returns (uint256) {
        return row >> 24 & MASK;
    }

    /// @dev nLILY of the solver's fee.
    function fee(uint256 row) internal pure returns (uint256) {
        return row >> 80 & MASK;
    }

    /// @dev nLILY of the reserve.
    function reserve(uint256 row) internal pure returns (uint256) {
        return row >> 136 & MASK;
    }

    /// @dev nLILY of the collateral.
    function collateral(uint256 row) internal pure returns (uint256) {
        return row >> 192;
    }

    /// @dev What the creator locks: price, fee, reserve.
    function fromCreator(uint256 row) internal pure returns (uint256) {
        unchecked {
            return price(row) + fee(row) + reserve(row);
        }
    }
}
