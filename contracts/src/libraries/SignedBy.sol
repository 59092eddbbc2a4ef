// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Signature} from "./DealTypes.sol";

/// @title The one place where a signature becomes an account's word
abstract contract SignedBy {
    /// @notice The signature is malformed, has a high s, or is not by a signer `account` authorised.
    error BadSignature(address account);

    /// @dev Reverts unless `signature` over `digest` was made with the authority of `account`.
    function _requireSignedBy(address account, bytes32 digest, Signature calldata signature) internal view {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature.r, signature.vs);
        if (failure != ECDSA.RecoverError.NoError || !_authorised(account, signer)) revert BadSignature(account);
    }

    /// @dev Whether `signer` may speak for `account`. Operator sessions will be looked up here.
    function _authorised(address account, address signer) internal view virtual returns (bool) {
        return signer == account;
    }
}
