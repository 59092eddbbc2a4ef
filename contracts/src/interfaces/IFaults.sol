// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealCore, Signature} from "../libraries/DealTypes.sol";
import {Accusation, Batch, Opening, Reveal} from "../libraries/BatchTypes.sol";

/// @title What costs a solver its bond
/// @notice Rules: protocol/batches.md, "Solver's faults".
interface IFaults {
    /// @notice The solver has until `answerBy`; `key` is the accusation's.
    event Accused(bytes32 indexed key, address indexed solver, address indexed claimant, uint64 answerBy);
    /// @notice The accusation was wrong; its bond went to the solver.
    event Answered(bytes32 indexed key);
    /// @notice The accusation has ended; `slashed` of the solver's bond is gone.
    event Concluded(bytes32 indexed key, address indexed solver, uint64 slashed);
    /// @notice Two reveals for one epoch; `slashed` is the solver's whole bond.
    event RevealedTwice(address indexed solver, uint64 indexed epoch, uint64 slashed);

    /// @notice There is such an accusation, or there is none.
    error BadAccusation(bytes32 key);
    /// @notice The signer is neither creator nor provider of the row.
    error NotAnOwner(address account);
    /// @notice The deal's nullifier bit is set: the promise was kept, or the job nullified.
    error PromiseKept(bytes32 dealId);
    /// @notice The deal is none of a batch: no inclusion proof could answer for it.
    error NotBatched(uint32 lane);
    /// @notice This one of the two is a posting of the fall-back phase.
    error NotAReveal(uint256 index);
    /// @notice The two reveals are equal.
    error SameReveal();

    /// @notice `account` says that it signed no terms for the lock of this leaf.
    function disown(Batch calldata batch, uint256 leaf, address account, Signature calldata signature) external;

    /// @notice Shows the terms that a disowned lock stands on.
    function answerDisown(
        Opening calldata opening,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external;

    /// @notice Releases a disowned lock that nobody answered for, and slashes the solver.
    function concludeDisown(Batch calldata batch, uint256 leaf) external;

    /// @notice The caller says that `solver` promised to open these terms, of a batched deal, and did not.
    function accusePromise(
        address solver,
        uint64 openBy,
        Signature calldata solverSig,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external;

    /// @notice Shows the promised deal as a void leaf of a batch committed in time.
    function answerPromise(uint64 openBy, Opening calldata opening, DealCore calldata core, bytes32 restHash) external;

    /// @notice Slashes the solver of a promise that nobody answered for.
    function concludePromise(address solver, uint64 openBy, DealCore calldata core, bytes32 restHash) external;

    /// @notice Slashes a solver that signed two different reveals for one epoch. What is posted in the fall-back
    /// phase has the salt zero and is none.
    function slashReveals(
        address solver,
        uint64 epoch,
        Reveal[2] calldata reveals,
        Signature[2] calldata signatures
    ) external;

    /// @notice The accusation under a key; all zero if there is none.
    function accusation(bytes32 key) external view returns (Accusation memory);
}
