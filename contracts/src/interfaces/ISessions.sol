// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Session} from "../libraries/BatchTypes.sol";

/// @title What operators may lock of their accounts' money
/// @notice Rules: protocol/batches.md, "Sessions".
interface ISessions {
    /// @notice The session with this nonce counts; it replaces the one of the same number.
    event SessionAuthorised(
        address indexed account, address indexed operator, uint64 nonce, uint64 cap, uint32 windowSeconds, uint64 expiry
    );
    /// @notice The session ends at `expiry`.
    event SessionRevoked(address indexed account, uint64 nonce, uint64 expiry);
    /// @notice `solver` may lock under this session.
    event SolverAdmitted(address indexed account, uint64 nonce, address indexed solver);

    /// @notice A field of the session is zero or beyond its limit, or its time is not now.
    error BadSession();
    /// @notice This number holds a session of the same or a higher nonce, or none of this nonce.
    error BadSessionNonce(uint64 nonce);
    /// @notice Neither the account's call nor its signature.
    error NotTheAccount(address account);
    /// @notice The session lasts until `expiry`.
    error SessionRuns(uint256 expiry);
    /// @notice The solver is not in the session's set.
    error NotInSet(address solver);

    /// @notice Puts a session on chain by its account's signature; empty if the account calls.
    function authorise(Session calldata session, bytes calldata signature) external;

    /// @notice Ends the session with this nonce after the notice; signature as `authorise`.
    function revoke(address account, uint64 nonce, bytes calldata signature) external;

    /// @notice Lets a solver of the session's set lock; once per session and solver.
    function admit(address account, uint64 nonce, address solver, bytes32 solversRoot, bytes32[] calldata proof)
        external;

    /// @notice Whether `signer`'s signature on batches and claimed deals counts as `account`'s.
    function speaksFor(address account, address signer) external view returns (bool);

    /// @notice Funds of the session of this number, what it may still lock in this window, and its end.
    function sessionOf(address account, uint8 number)
        external
        view
        returns (uint64 funds, uint64 allowed, uint64 expiry);
}
