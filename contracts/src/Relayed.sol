// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Domain} from "./libraries/Domain.sol";

/// @title An account's word, by its own call or by its signature that anyone may send
/// @dev Signatures are under the deployment's domain; accounts that are contracts answer by ERC-1271.
abstract contract Relayed {
    /// @notice The contract that stands in the EIP-712 domain.
    address public immutable MARKET;

    /// @notice Neither the account's call nor its signature.
    error NotTheAccount(address account);

    constructor(address market) {
        MARKET = market;
    }

    /// @dev Reverts unless `account` calls (with an empty signature) or signed.
    function _requireAccount(address account, bytes32 structHash, bytes calldata signature) internal view {
        if (signature.length == 0 && msg.sender == account) return;
        if (!_isSigned(account, structHash, signature)) revert NotTheAccount(account);
    }

    /// @dev Whether `account` signed.
    function _isSigned(address account, bytes32 structHash, bytes calldata signature) internal view returns (bool) {
        bytes32 digest = Domain.digest(Domain.separator(MARKET), structHash);
        return SignatureChecker.isValidSignatureNowCalldata(account, digest, signature);
    }
}
