// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "./BatchFixture.sol";
import {Accusation, Reveal} from "../src/libraries/BatchTypes.sol";

/// @dev Jobs, and every call that can be made about one, each external so that a refusal is caught. Nothing here asks
/// whose word it needs: CoalitionHandler does.
abstract contract CoalitionCalls is BatchFixture {
    struct Job {
        uint64 price;
        uint64 reserve;
        uint64 openBy;
        uint64 startedAt; // both signed the receipt; zero: no
        bool direct;
        bool isSigned; // both consented; else the solver locks without them
        bool right; // what a re-execution would find
        bool promised;
        bool delivered; // the provider signed a result
        bool challenged;
        bool paid; // by the creator's word
        bytes batch; // abi-encoded Batch and proofs; empty: never committed
    }

    Job[] internal jobs;

    modifier onlySelf() {
        if (msg.sender != address(this)) revert("not for strangers");
        _;
    }

    // ---- looking ----

    function coreOf(uint256 i) public view returns (DealCore memory core) {
        Job storage j = jobs[i];
        core = _core(uint64(32 * (i + 2)));
        (core.price, core.fee, core.reserve, core.openBy) = (j.price, j.price / 20, j.reserve, j.openBy);
        core.collateral = j.price * 5 / 2 + 1;
        core.lane = j.direct ? uint32(i) : BATCHED;
    }

    function stateOf(uint256 i) public view returns (State) {
        return market.stateOf(coreOf(i), market.restHash(_restIn(jobs[i].openBy)));
    }

    /// @dev The batch of a job, and whether its leaf still waits in it.
    function leafOf(uint256 i) public view returns (Batch memory b, bool waits) {
        if (jobs[i].batch.length == 0) return (b, false);
        (b,) = abi.decode(jobs[i].batch, (Batch, bytes32[][]));
        (bytes32 id, uint256 resolved) = batches.slotOf(solver, b.slot);
        waits = id == batches.batchId(b) && resolved & 1 == 0 && b.voided & 1 == 0;
    }

    function _keyOfLeaf(uint256 i) internal view returns (bytes32) {
        (Batch memory b,) = leafOf(i);
        return keccak256(
            abi.encode(keccak256("Disown(bytes32 batch,uint256 leaf)"), batches.batchId(b), uint256(0))
        );
    }

    function _keyOfPromise(uint256 i) internal view returns (bytes32) {
        bytes32 terms = market.termsDigest(coreOf(i), _restIn(jobs[i].openBy));
        return keccak256(
            abi.encode(
                keccak256("OpeningPromise(bytes32 dealId,bytes32 terms,address solver,uint64 openBy)"),
                solver,
                jobs[i].openBy,
                terms
            )
        );
    }

    function _startReceipt(uint256 i) internal view returns (StartReceipt memory) {
        return StartReceipt(_id(coreOf(i)), keccak256("inputs"), bytes32(0), jobs[i].startedAt);
    }

    function _sides(uint256 i) internal view returns (bytes32 restHash, Signature memory ofCreator, Signature memory ofProvider) {
        DealRest memory rest = _restIn(jobs[i].openBy);
        bytes32 terms = market.termsDigest(coreOf(i), rest);
        return (market.restHash(rest), _sign(CREATOR_KEY, terms), _sign(PROVIDER_KEY, terms));
    }

    function _openingOf(uint256 i) internal view returns (Opening memory) {
        (Batch memory b, bytes32[][] memory proofs) = abi.decode(jobs[i].batch, (Batch, bytes32[][]));
        return _opening(b, 0, proofs[0]);
    }

    // ---- calls ----

    function doOpen(uint256 i) external onlySelf {
        (bytes32 restHash, Signature memory c, Signature memory p) = _sides(i);
        market.open(coreOf(i), restHash, c, p);
    }

    function doCommit(uint256 i) external onlySelf {
        DealCore[] memory cores = new DealCore[](1);
        cores[0] = coreOf(i);
        (Batch memory b, bytes32[][] memory proofs) = _commit(uint32(i), cores);
        jobs[i].batch = abi.encode(b, proofs);
    }

    function doAccept(uint256 i) external onlySelf {
        (Batch memory b, bool waits) = leafOf(i);
        if (waits) _settle(CREATOR_KEY, b, 1);
        else _settle(coreOf(i), _restIn(jobs[i].openBy));
        jobs[i].paid = true;
    }

    function doClaim(uint256 i) external onlySelf {
        (bytes32 restHash, Signature memory c, Signature memory p) = _sides(i);
        batches.claim(_openingOf(i), coreOf(i), restHash, c, p);
    }

    function doSubmit(uint256 i) external onlySelf {
        StartReceipt memory receipt = _startReceipt(i);
        ResultCommit memory result = ResultCommit(receipt.dealId, MANIFEST, OUTPUTS);
        market.submit(
            coreOf(i),
            _restIn(jobs[i].openBy),
            receipt,
            _signReceipt(CREATOR_KEY, receipt),
            _signReceipt(PROVIDER_KEY, receipt),
            result,
            _signResult(PROVIDER_KEY, result)
        );
        jobs[i].delivered = true;
    }

    function doFinalize(uint256 i) external onlySelf {
        market.finalize(coreOf(i), _restIn(jobs[i].openBy));
    }

    function doRefund(uint256 i) external onlySelf {
        market.refund(coreOf(i), _restIn(jobs[i].openBy));
    }

    function doTimeoutSubmit(uint256 i) external onlySelf {
        StartReceipt memory receipt = _startReceipt(i);
        market.timeoutSubmit(
            coreOf(i),
            _restIn(jobs[i].openBy),
            receipt,
            _signReceipt(CREATOR_KEY, receipt),
            _signReceipt(PROVIDER_KEY, receipt)
        );
    }

    function doExpire(uint256 i) external onlySelf {
        (Batch memory b,) = leafOf(i);
        batches.expire(b, 1);
    }

    function doChallenge(uint256 i) external onlySelf {
        (, bool waits) = leafOf(i);
        DealCore memory core = coreOf(i);
        DealRest memory rest = _restIn(jobs[i].openBy);
        if (waits) {
            (, Signature memory c, Signature memory p) = _sides(i);
            court.challengeLeaf(_openingOf(i), core, rest, c, p, _complaint(core, MANIFEST, 1));
        } else {
            _challenge(core, rest);
        }
        jobs[i].challenged = true;
    }

    function doReveal(uint256 i) external onlySelf {
        _reveal(coreOf(i), _restIn(jobs[i].openBy));
    }

    function doVerdict(uint256 i, uint8 outcome) external onlySelf {
        _verdict(coreOf(i), _restIn(jobs[i].openBy), outcome);
    }

    function doTimeoutReveal(uint256 i) external onlySelf {
        court.timeoutReveal(coreOf(i), _docket(_restIn(jobs[i].openBy)));
    }

    function doTimeoutVerdict(uint256 i) external onlySelf {
        _timeoutVerdict(coreOf(i), _restIn(jobs[i].openBy));
    }

    function doNullify(uint256 i) external onlySelf {
        uint64 number = coreOf(i).jobNumber;
        market.nullify(creator, number, _nullification(CREATOR_KEY, number));
    }

    // ---- faults ----

    function doDisown(uint256 i, uint256 key) external onlySelf {
        (Batch memory b,) = leafOf(i);
        Signature memory signature = _signStruct(
            key, abi.encode(keccak256("Disown(bytes32 batch,uint256 leaf)"), batches.batchId(b), uint256(0))
        );
        faults.disown(b, 0, vm.addr(key), signature);
    }

    function doAnswerDisown(uint256 i) external onlySelf {
        (bytes32 restHash, Signature memory c, Signature memory p) = _sides(i);
        faults.answerDisown(_openingOf(i), coreOf(i), restHash, c, p);
    }

    function doConcludeDisown(uint256 i) external onlySelf {
        (Batch memory b,) = leafOf(i);
        faults.concludeDisown(b, 0);
    }

    function doAccuse(uint256 i, address claimant) external onlySelf {
        DealCore memory core = coreOf(i);
        (bytes32 restHash, Signature memory c, Signature memory p) = _sides(i);
        bytes32 terms = market.termsDigest(core, _restIn(jobs[i].openBy));
        bytes memory words = abi.encode(
            keccak256("OpeningPromise(bytes32 dealId,bytes32 terms,address solver,uint64 openBy)"),
            _id(core),
            terms,
            solver,
            core.openBy
        );
        Signature memory word = _signStruct(SOLVER_KEY, words);
        vm.prank(claimant);
        faults.accusePromise(solver, core.openBy, word, core, restHash, c, p);
    }

    function doAnswerPromise(uint256 i) external onlySelf {
        (bytes32 restHash,,) = _sides(i);
        faults.answerPromise(jobs[i].openBy, _openingOf(i), coreOf(i), restHash);
    }

    function doConcludePromise(uint256 i) external onlySelf {
        (bytes32 restHash,,) = _sides(i);
        faults.concludePromise(solver, jobs[i].openBy, coreOf(i), restHash);
    }

    /// @dev `epochs`: what the solver signed each reveal for; equal ones are the fault.
    function doSlashReveals(uint64[2] calldata epochs, bytes32[2] calldata ids) external onlySelf {
        Reveal[2] memory reveals;
        Signature[2] memory signatures;
        for (uint256 k; k < 2; ++k) {
            reveals[k] = Reveal(ids[k], bytes32(0), bytes32(uint256(1)));
            signatures[k] = _signStruct(
                SOLVER_KEY,
                abi.encode(
                    keccak256(
                        "AuctionReveal(uint64 epoch,address solver,bytes32 solutionId,bytes32 certificateId,bytes32 salt)"
                    ),
                    epochs[k],
                    solver,
                    ids[k],
                    bytes32(0),
                    bytes32(uint256(1))
                )
            );
        }
        faults.slashReveals(solver, epochs[0], reveals, signatures);
    }
}
