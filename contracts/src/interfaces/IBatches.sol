// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealCore, Signature} from "../libraries/DealTypes.sol";
import {Batch, Commitment, Line, Opening, Statement} from "../libraries/BatchTypes.sol";

/// @title Deals in batches
/// @notice Layout, limits and rules: protocol/batches.md. Statements and consents are signed under
/// the Market's EIP-712 domain.
interface IBatches {
    /// @notice The money of all leaves but the `voided` ones is locked.
    event BatchCommitted(bytes32 indexed id, address indexed solver, uint256 voided);
    /// @notice Statements paid `leaves` out.
    event BatchSettled(bytes32 indexed id, uint256 leaves);
    /// @notice The money of `leaves` went back to both sides.
    event BatchExpired(bytes32 indexed id, uint256 leaves);
    /// @notice The leaf is an Open deal of the Market now.
    event LeafClaimed(bytes32 indexed id, uint256 leaf, bytes32 indexed dealId);

    /// @notice The contracts of this deployment do not name each other.
    error BadBatches();
    /// @notice No leaf, or more than 256.
    error BadLeaves(uint256 leaves);
    /// @notice Not after now, or too far ahead.
    error BadExpiry(uint64 expiry);
    /// @notice The slot holds a batch with unresolved leaves.
    error SlotBusy(uint32 slot);
    /// @notice Owners are not ascending, or a word has bits beyond its fields.
    error BadOwner(uint256 index);
    /// @notice An index is beyond the owners, the creator pays nothing, or a dealId comes twice.
    error BadRow(uint256 index);
    /// @notice The slot does not hold this batch.
    error UnknownBatch(bytes32 id);
    /// @notice The statement's owner is out of range, or not above the one before.
    error BadStatement(uint256 index);
    /// @notice Lines do not follow the order of the statements.
    error BadLine(uint256 index);
    /// @notice The leaf is settled, claimed, expired or void.
    error LeafResolved(uint256 leaf);
    /// @notice Terms, proof and row do not belong together, or were committed after openBy.
    error BadLeaf(uint256 leaf);
    /// @notice Possible only after `deadline`.
    error TooEarly(uint256 deadline);
    /// @notice Was possible until `deadline`.
    error TooLate(uint256 deadline);

    /// @notice Locks the money of a batch, of which the caller is the solver.
    /// @return id what the slot holds now.
    /// @return voided leaves that locked nothing.
    function commit(Commitment calldata c) external returns (bytes32 id, uint256 voided);

    /// @notice Pays the unresolved leaves that the statements name.
    function settle(Batch calldata batch, Statement[] calldata statements, Line[] calldata lines) external;

    /// @notice Gives the money of unresolved `leaves` back, after expiry.
    function expire(Batch calldata batch, uint256 leaves) external;

    /// @notice Makes a leaf an Open deal of the Market, until expiry.
    function claim(
        Opening calldata opening,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external;

    /// @notice What a slot holds: id and resolved leaves; bits beyond the last leaf are set.
    function slotOf(address solver, uint32 slot) external view returns (bytes32 id, uint256 resolved);

    /// @notice The id of a batch.
    function batchId(Batch calldata batch) external view returns (bytes32);
}
