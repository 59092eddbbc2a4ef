// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealCore, DealRest, StartReceipt} from "./DealTypes.sol";

/// @title EIP-712 struct hashes of the deal messages
/// @dev All members are static, so `abi.encode(TYPEHASH, struct)` is EIP-712's encodeData.
library DealHash {
    bytes32 internal constant CORE_TYPEHASH = keccak256(
        "DealCore(address creator,address provider,address feeTo,uint64 price,uint64 fee,uint64 collateral,uint64 reserve,uint64 jobNumber,uint8 attempt,uint32 lane,uint64 openBy)"
    );
    bytes32 internal constant REST_TYPEHASH = keccak256(
        "DealRest(bytes32 jobOfferId,bytes32 resourceOfferId,bytes32 solutionId,uint8 verification,uint16 auditBp,bytes32 mediatorRoot,bytes32 creatorSaltHash,bytes32 providerSaltHash,uint64 startBy,uint32 submitSeconds,uint32 judgeSeconds,uint32 challengeSeconds,uint64 claimFee,uint64 auditFee,bytes32 parameters,bytes32 linesRoot,bytes32 certificateSet,bytes32 creatorKey,bytes32 providerKey,address watcher,uint8 replicas,uint8 quorum,uint32 tolerancePpm,uint8 tier,uint8 verdicts,bytes32 hardwareClass,uint32 appealSeconds)"
    );
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "DealTerms(DealCore core,DealRest rest)DealCore(address creator,address provider,address feeTo,uint64 price,uint64 fee,uint64 collateral,uint64 reserve,uint64 jobNumber,uint8 attempt,uint32 lane,uint64 openBy)DealRest(bytes32 jobOfferId,bytes32 resourceOfferId,bytes32 solutionId,uint8 verification,uint16 auditBp,bytes32 mediatorRoot,bytes32 creatorSaltHash,bytes32 providerSaltHash,uint64 startBy,uint32 submitSeconds,uint32 judgeSeconds,uint32 challengeSeconds,uint64 claimFee,uint64 auditFee,bytes32 parameters,bytes32 linesRoot,bytes32 certificateSet,bytes32 creatorKey,bytes32 providerKey,address watcher,uint8 replicas,uint8 quorum,uint32 tolerancePpm,uint8 tier,uint8 verdicts,bytes32 hardwareClass,uint32 appealSeconds)"
    );
    bytes32 internal constant START_TYPEHASH =
        keccak256("StartReceipt(bytes32 dealId,bytes32 inputRoot,bytes32 sealedRoot,uint64 startedAt)");
    bytes32 internal constant RESULT_TYPEHASH =
        keccak256("ResultCommit(bytes32 dealId,bytes32 manifest,bytes32 outputRoot)");
    bytes32 internal constant ACCEPTANCE_TYPEHASH = keccak256("Acceptance(bytes32 dealId,bytes32 manifest)");
    bytes32 internal constant CHALLENGE_TYPEHASH = keccak256("Challenge(bytes32 dealId,bytes32 manifest,uint8 kind)");
    bytes32 internal constant VERDICT_TYPEHASH =
        keccak256("Verdict(bytes32 dealId,bytes32 manifest,uint8 outcome,bytes32 evidence)");
    bytes32 internal constant APPEAL_TYPEHASH = keccak256("Appeal(bytes32 dealId)");
    bytes32 internal constant NULLIFY_TYPEHASH = keccak256("Nullify(uint64 jobNumber)");

    /// @dev The dealId under a Market.
    function id(address market, address creator, uint64 jobNumber, uint8 attempt) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, market, creator, jobNumber, attempt));
    }

    /// @dev Struct hash of DealTerms from its core and the struct hash of its rest. Copies the eleven
    /// words as they are (abi.encode costs 600 gas more): `Market.open` reads every member, and such
    /// a read reverts on dirty upper bits, so no deal with dirty words is ever in a lane.
    function terms(DealCore calldata core_, bytes32 restHash) internal pure returns (bytes32 hash) {
        bytes32 coreType = CORE_TYPEHASH;
        bytes32 termsType = TERMS_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, coreType)
            calldatacopy(add(free, 0x20), core_, 0x160)
            let coreHash := keccak256(free, 0x180)
            mstore(free, termsType)
            mstore(add(free, 0x20), coreHash)
            mstore(add(free, 0x40), restHash)
            hash := keccak256(free, 0x60)
        }
    }

    /// @dev Struct hash of DealRest.
    function rest(DealRest calldata rest_) internal pure returns (bytes32) {
        return keccak256(abi.encode(REST_TYPEHASH, rest_));
    }

    /// @dev Struct hash of StartReceipt.
    function start(StartReceipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(START_TYPEHASH, receipt));
    }

    /// @dev Struct hash of ResultCommit.
    function result(bytes32 dealId, bytes32 manifest, bytes32 outputRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(RESULT_TYPEHASH, dealId, manifest, outputRoot));
    }

    /// @dev Struct hash of Acceptance.
    function acceptance(bytes32 dealId, bytes32 manifest) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE_TYPEHASH, dealId, manifest));
    }

    /// @dev Struct hash of Challenge.
    function challenge(bytes32 dealId, bytes32 manifest, uint8 kind) internal pure returns (bytes32) {
        return keccak256(abi.encode(CHALLENGE_TYPEHASH, dealId, manifest, kind));
    }

    /// @dev Struct hash of Verdict.
    function verdict(bytes32 dealId, bytes32 manifest, uint8 outcome, bytes32 evidence) internal pure returns (bytes32) {
        return keccak256(abi.encode(VERDICT_TYPEHASH, dealId, manifest, outcome, evidence));
    }

    /// @dev Struct hash of Appeal.
    function appeal(bytes32 dealId) internal pure returns (bytes32) {
        return keccak256(abi.encode(APPEAL_TYPEHASH, dealId));
    }

    /// @dev Struct hash of Nullify.
    function nullify(uint64 jobNumber) internal pure returns (bytes32) {
        return keccak256(abi.encode(NULLIFY_TYPEHASH, jobNumber));
    }
}
