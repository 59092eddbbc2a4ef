// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Signature} from "./DealTypes.sol";

/// @title The one place where a signature becomes an account's word
/// @dev An account that is a contract is asked by ERC-1271, with the signature spelt out as 65 bytes;
/// one that needs more signs a session, whose operator signs deals.
abstract contract SignedBy {
    /// @notice The signature is malformed, has a high s, or is not by a signer `account` authorised.
    error BadSignature(address account);

    /// @dev Reverts unless `signature` over `digest` was made by `account` or an operator of it.
    function _requireSignedBy(address account, bytes32 digest, Signature calldata signature) internal view {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature.r, signature.vs);
        if (failure == ECDSA.RecoverError.NoError && (signer == account || _authorised(account, signer))) return;
        _requireContract(account, digest, signature);
    }

    /// @dev Reverts unless `signature` over `digest` was made by `account` itself.
    function _requireOwn(address account, bytes32 digest, Signature calldata signature) internal view {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature.r, signature.vs);
        if (failure == ECDSA.RecoverError.NoError && signer == account) return;
        _requireContract(account, digest, signature);
    }

    /// @dev Whether `signer` is an operator that may speak for `account`.
    function _authorised(address account, address signer) internal view virtual returns (bool);

    function _requireContract(address account, bytes32 digest, Signature calldata signature) private view {
        bytes32 s = signature.vs << 1 >> 1;
        uint8 v = uint8(uint256(signature.vs) >> 255) + 27;
        if (
            account.code.length == 0
                || !SignatureChecker.isValidERC1271SignatureNow(account, digest, abi.encodePacked(signature.r, s, v))
        ) revert BadSignature(account);
    }
}
