// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title The deployment's EIP-712 domain, for the contracts beside the Market
/// @dev Computed, not stored: it is right on a forked chain too.
library Domain {
    bytes32 private constant _TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @dev Separator of { "lilynode", "1", this chain, the Market }.
    function separator(address market) internal view returns (bytes32) {
        return keccak256(abi.encode(_TYPEHASH, keccak256("lilynode"), keccak256("1"), block.chainid, market));
    }

    /// @dev What is signed.
    function digest(bytes32 separator_, bytes32 structHash) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator_, structHash);
    }
}
