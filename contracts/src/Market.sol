// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealLedger} from "./DealLedger.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {
    DealCore,
    DealRest,
    Payout,
    ResultCommit,
    Signature,
    StartReceipt,
    State,
    Submission
} from "./libraries/DealTypes.sol";

/// @title Deals, as their parties move them: open, settle, submit, and what a deadline allows
contract Market is DealLedger {
    /// @param court,batches the addresses the deployer's next CREATEs will have.
    constructor(IVault vault, address court, address batches) DealLedger(vault, court, batches) {}

    /// @inheritdoc IMarket
    function open(
        DealCore calldata core,
        bytes32 restHash_,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external {
        if (block.timestamp > core.openBy) revert TooLate(core.openBy);
        if (core.lane == BATCHED) revert BadLane(core.lane);
        if (core.creator == core.provider) revert SelfDeal();
        if (core.attempt >= MAX_ATTEMPTS) revert BadAttempt(core.attempt);
        if (uint256(core.collateral) * 2 < uint256(core.price) * 5) {
            revert CollateralTooLow(core.collateral, core.price);
        }
        bytes32 terms = _terms(core, restHash_);
        _requireOwn(core.creator, terms, creatorSig);
        _requireOwn(core.provider, terms, providerSig);

        bytes32 id = _id(core);
        _nullifyOnce(core, id);
        mapping(uint32 => bytes32) storage lanes = _lanes[core.provider];
        State previous = _stateIn(lanes[core.lane]);
        if (previous != State.None && previous < State.Settled) revert LaneBusy(core.provider, core.lane);
        lanes[core.lane] = _word(terms, State.Open);

        emit DealOpened(
            id,
            core.creator,
            core.provider,
            core.feeTo,
            core.price,
            core.fee,
            core.collateral,
            core.reserve,
            core.lane,
            terms
        );
        VAULT.lock(core.creator, core.provider, core.price + core.fee + core.reserve, core.collateral);
    }

    /// @inheritdoc IMarket
    function settle(DealCore calldata core, bytes32 restHash_, bytes32 manifest, Signature calldata creatorSig)
        external
    {
        bytes32 id = _id(core);
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state != State.Open && state != State.Submitted) revert WrongState(state);
        _requireSignedBy(core.creator, _hashTypedDataV4(DealHash.acceptance(id, manifest)), creatorSig);
        _set(core, terms, State.Settled);
        emit DealSettled(id, manifest);
        // Unchecked: `open` locked these very amounts.
        unchecked {
            VAULT.release(
                core.provider,
                _escrow(core),
                core.price + core.collateral,
                core.creator,
                core.reserve,
                core.feeTo,
                core.fee,
                address(0),
                0
            );
        }
    }

    /// @inheritdoc IMarket
    function submit(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorReceiptSig,
        Signature calldata providerReceiptSig,
        ResultCommit calldata result,
        Signature calldata providerSig
    ) external {
        (bytes32 terms, State state) = _enter(core, DealHash.rest(rest));
        if (state != State.Open) revert WrongState(state);
        bytes32 id = _started(core, rest, receipt, creatorReceiptSig, providerReceiptSig);
        uint256 deadline = _submitBy(core, rest, terms, receipt.startedAt);
        if (block.timestamp > deadline) revert TooLate(deadline);
        if (result.dealId != id) revert WrongDeal(result.dealId);
        _requireSignedBy(core.provider, _hashTypedDataV4(DealHash.result(id, result.manifest, result.outputRoot)), providerSig);
        _submissions[id] = Submission(uint64(block.timestamp), result.manifest);
        _set(core, terms, State.Submitted);
        emit ResultSubmitted(id, result.manifest, result.outputRoot);
    }

    /// @inheritdoc IMarket
    function finalize(DealCore calldata core, DealRest calldata rest) external {
        (bytes32 terms, State state) = _enter(core, DealHash.rest(rest));
        if (state != State.Submitted) revert WrongState(state);
        bytes32 id = _id(core);
        uint256 deadline = uint256(_submissions[id].submittedAt) + rest.judgeSeconds;
        if (block.timestamp <= deadline) revert TooEarly(deadline);
        // Silence costs the creator the claim fee: from the reserve, then as far as it has money.
        uint64 claimFee = rest.claimFee;
        uint64 extra;
        if (claimFee > core.reserve) {
            extra = VAULT.pull(core.creator, core.provider, claimFee - core.reserve);
            claimFee = core.reserve + extra;
        }
        Payout memory payout;
        payout.toProvider = core.price + core.collateral + claimFee;
        payout.toCreator = core.reserve + extra - claimFee;
        payout.toFee = core.fee;
        _close(core, terms, id, state, State.Settled, extra, payout);
    }

    /// @inheritdoc IMarket
    function refund(DealCore calldata core, DealRest calldata rest) external {
        (bytes32 terms, State state) = _enter(core, DealHash.rest(rest));
        if (state != State.Open) revert WrongState(state);
        uint256 deadline = _submitBy(core, rest, terms, rest.startBy) + rest.judgeSeconds;
        if (block.timestamp <= deadline) revert TooEarly(deadline);
        Payout memory payout;
        payout.toProvider = core.collateral;
        payout.toCreator = core.price + core.fee + core.reserve;
        bytes32 id = _id(core);
        _close(core, terms, id, state, State.Refunded, 0, payout);
    }

    /// @inheritdoc IMarket
    function timeoutSubmit(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorReceiptSig,
        Signature calldata providerReceiptSig
    ) external {
        (bytes32 terms, State state) = _enter(core, DealHash.rest(rest));
        if (state != State.Open) revert WrongState(state);
        bytes32 id = _started(core, rest, receipt, creatorReceiptSig, providerReceiptSig);
        uint256 deadline = _submitBy(core, rest, terms, receipt.startedAt);
        if (block.timestamp <= deadline) revert TooEarly(deadline);
        // The creator gets its own money and its pinned cost; the rest of the collateral is left
        // for the pool, so that nobody earns by a slash.
        Payout memory payout;
        uint64 cost = rest.claimFee < core.collateral ? rest.claimFee : core.collateral;
        payout.toCreator = core.price + core.fee + core.reserve + cost;
        _close(core, terms, id, state, State.TimedOut, 0, payout);
    }

    /// @inheritdoc IMarket
    function nullify(address creator, uint64 jobNumber, Signature calldata creatorSig) external {
        _requireSignedBy(creator, _hashTypedDataV4(DealHash.nullify(jobNumber)), creatorSig);
        uint256 place = _place(jobNumber, 0);
        _nullifiers[creator][place >> 8] |= 0xff << (place & 0xff);
        emit JobNullified(creator, jobNumber);
    }

    /// @dev Last second to submit: a claim gives the provider another challengeSeconds.
    function _submitBy(DealCore calldata core, DealRest calldata rest, bytes32 terms, uint64 startedAt)
        private
        view
        returns (uint256 deadline)
    {
        deadline = uint256(startedAt) + rest.submitSeconds;
        if (core.lane == BATCHED) {
            uint256 grace = (_cases[terms] >> 8) + rest.challengeSeconds;
            if (grace > deadline) deadline = grace;
        }
    }

    /// @dev Operators of sessions sign for their accounts, but for `open`, which counts against none.
    function _authorised(address account, address signer) internal view override returns (bool) {
        return VAULT.speaksFor(account, signer);
    }

    /// @dev Checks a start receipt: this deal, in time, signed by both. Returns the dealId.
    function _started(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) private view returns (bytes32 id) {
        id = _id(core);
        if (receipt.dealId != id) revert WrongDeal(receipt.dealId);
        if (receipt.startedAt > rest.startBy || receipt.startedAt > block.timestamp) {
            revert BadStart(receipt.startedAt);
        }
        bytes32 hash = _hashTypedDataV4(DealHash.start(receipt));
        _requireSignedBy(core.creator, hash, creatorSig);
        _requireSignedBy(core.provider, hash, providerSig);
    }
}
