// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The register of mediators: events and errors
interface IMediators {
    /// @notice `mediator` offers itself for lists.
    event MediatorRegistered(address indexed mediator);
    /// @notice `mediator` is not to be drawn any more.
    event MediatorRetired(address indexed mediator);

    /// @notice The account's bond is below the minimum.
    error BondTooLow(uint64 bond, uint64 minimum);
    /// @notice The account is registered already, or is not, or is to be struck off with a full bond.
    error BadRegistration();
    /// @notice The account's next Enlist has nonce `expected`.
    error BadNonce(uint64 nonce, uint64 expected);
    /// @notice The signature is not the account's.
    error NotTheMediator(address account);
}
