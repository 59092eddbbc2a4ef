// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lists of words without bounds checks, for the loops that every batched deal pays for
/// @dev Callers know that the index is below the length: a loop's own, or one that `commit` checked
/// and the batch's id has bound since.
library Words {
    /// @dev list[i].
    function get(uint256[] calldata list, uint256 i) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, shl(5, i)))
        }
    }

    /// @dev list[i].
    function read(uint256[] memory list, uint256 i) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(list, 0x20), shl(5, i)))
        }
    }

    /// @dev list[i] = word.
    function write(uint256[] memory list, uint256 i, uint256 word) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(list, 0x20), shl(5, i)), word)
        }
    }

    /// @dev list[i] += amount, wrapping.
    function add(uint256[] memory list, uint256 i, uint256 amount) internal pure {
        assembly ("memory-safe") {
            let place := add(add(list, 0x20), shl(5, i))
            mstore(place, add(mload(place), amount))
        }
    }

    /// @dev A copy of `list` with only the bits of `mask` in each word.
    function masked(uint256[] calldata list, uint256 mask) internal pure returns (uint256[] memory copy) {
        uint256 length = list.length;
        assembly ("memory-safe") {
            copy := mload(0x40)
            mstore(copy, length)
            let end := add(add(copy, 0x20), shl(5, length))
            let from := list.offset
            for { let to := add(copy, 0x20) } lt(to, end) { to := add(to, 0x20) } {
                mstore(to, and(calldataload(from), mask))
                from := add(from, 0x20)
            }
            mstore(0x40, end)
        }
    }
}
