// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signature} from "./DealTypes.sol";

// Batches as calls bring them. The chain keeps a batch's id and its resolved leaves only; layout of
// owners and rows: protocol/batches.md.

/// @notice A committed batch; hashes to its id.
struct Batch {
    address solver;
    uint32 slot;
    uint64 committedAt;
    uint64 expiry;
    bytes32 root;
    uint256 voided; // bit i: leaf i locked nothing
    uint256[] owners;
    uint256[] rows;
}

/// @notice One leaf of a committed batch, with as much of the batch as its id needs.
struct Opening {
    address solver;
    uint32 slot;
    uint64 committedAt;
    uint64 expiry;
    bytes32 root;
    uint256 voided;
    uint256 leaf;
    uint256[] owners;
    uint256[] rows; // the sixteen, or fewer at the end, that the leaf's row is among
    bytes32[] others; // hashes of the other sixteens, in order
    bytes32[] proof; // of the leaf under `root`
}

/// @notice What a solver commits.
struct Commitment {
    uint32 slot;
    uint64 expiry;
    bytes32 root;
    uint256[] owners;
    uint256[] rows;
}

/// @notice A creator's word over its leaves; `owner` is the creator's index among the owners.
struct Statement {
    uint8 owner;
    uint256 leaves;
    Signature signature;
}

/// @notice One payee beside provider and solver, of the statement with this index. Lines stand in
/// the order of their statements.
struct Line {
    uint8 statement;
    address payee; // zero: the pool
    uint64 amount;
}

/// @notice What an operator may lock. EIP-712 type in protocol/identity.md.
struct Session {
    address account;
    address operator;
    uint64 cap; // nLILY
    uint32 windowSeconds;
    bytes32 solversRoot; // zero: any bonded solver
    uint64 notBefore;
    uint64 expiry;
    uint64 nonce; // low byte: the session's number
}

/// @notice What a solver shows in an auction, beside epoch and solver: protocol/auction.md, "Messages".
struct Reveal {
    bytes32 solutionId;
    bytes32 certificateId;
    bytes32 salt; // zero: a posting of the fall-back phase, no reveal
}

/// @notice An accusation that waits for its answer.
struct Accusation {
    address claimant; // zero: none
    uint64 answerBy;
}
