// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
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

/// @title Deals: the direct path, one transaction to open and one to settle; and claimed leaves
/// @dev A deal lives in one word of its provider, `lane`: the terms digest's upper 248 bits and the
/// state byte. A terminal word is overwritten by the next deal, which saves 17,100 gas each time. A
/// claimed leaf has a word under its terms instead: nobody can keep its lane busy.
contract Market is IMarket, EIP712, SignedBy {
    /// @notice Attempts per job: one byte of the nullifier word.
    uint8 public constant MAX_ATTEMPTS = 8;
    /// @notice Lane of batched deals.
    uint32 public constant BATCHED = type(uint32).max;

    IVault public immutable VAULT;
    address public immutable COURT;
    address public immutable BATCHES;

    mapping(address provider => mapping(uint32 lane => bytes32)) private _lanes;
    mapping(address creator => mapping(uint256 word => uint256)) private _nullifiers;
    mapping(bytes32 dealId => Submission) private _submissions;
    /// @dev Time of the claim above the state byte.
    mapping(bytes32 terms => uint256) private _claimed;

    modifier onlyCourt() {
        if (msg.sender != COURT) revert NotCourt();
        _;
    }

    modifier onlyBatches() {
        if (msg.sender != BATCHES) revert NotBatches();
        _;
    }

    /// @param court,batches the addresses the deployer's next CREATEs will have.
    constructor(IVault vault, address court, address batches) EIP712("lilynode", "1") {
        VAULT = vault;
        COURT = court;
        BATCHES = batches;
    }

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

        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
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
        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
        (bytes32 terms, State state) = _enter(core, restHash_);
        uint64 extra;
        if (state == State.Challenged) extra = _submissions[id].extra;
        else if (state != State.Open && state != State.Submitted) revert WrongState(state);
        _requireSignedBy(core.creator, _hashTypedDataV4(DealHash.acceptance(id, manifest)), creatorSig);
        _set(core, terms, State.Settled);
        emit DealSettled(id, manifest);
        // Unchecked: `open` and `dispute` locked these very amounts.
        unchecked {
            VAULT.release(
                core.provider,
                _escrow(core) + extra,
                core.price + core.collateral,
                core.creator,
                core.reserve + extra,
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
        _requireSignedBy(core.provider, _hashTypedDataV4(DealHash.result(result)), providerSig);
        _submissions[id] = Submission(uint64(block.timestamp), 0, result.manifest);
        _set(core, terms, State.Submitted);
        emit ResultSubmitted(id, result.manifest, result.outputRoot);
    }

    /// @inheritdoc IMarket
    function finalize(DealCore calldata core, DealRest calldata rest) external {
        (bytes32 terms, State state) = _enter(core, DealHash.rest(rest));
        if (state != State.Submitted) revert WrongState(state);
        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
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
        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
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

    /// @inheritdoc IMarket
    function dispute(DealCore calldata core, bytes32 restHash_, uint64 wanted) external onlyCourt {
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state != State.Open && state != State.Submitted) revert WrongState(state);
        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
        if (wanted != 0) {
            uint64 taken = VAULT.pull(core.creator, core.provider, wanted);
            if (taken != wanted) revert IVault.InsufficientFree(core.creator, taken, wanted);
            _submissions[id].extra = wanted;
        }
        _set(core, terms, State.Challenged);
        emit DealDisputed(id, wanted);
    }

    /// @inheritdoc IMarket
    function markDrawn(DealCore calldata core, bytes32 restHash_) external onlyCourt {
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state != State.Challenged) revert WrongState(state);
        _set(core, terms, State.Drawn);
    }

    /// @inheritdoc IMarket
    function conclude(DealCore calldata core, bytes32 restHash_, State to, Payout calldata payout) external onlyCourt {
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state == State.None || state >= State.Settled || to < State.Settled) revert WrongState(state);
        bytes32 id = dealId(core.creator, core.jobNumber, core.attempt);
        _close(core, terms, id, state, to, _submissions[id].extra, payout);
    }

    /// @inheritdoc IMarket
    function mark(uint256[] calldata owners, uint256[] calldata marks)
        external
        onlyBatches
        returns (uint256[] memory taken)
    {
        for (uint256 k; k < owners.length; ++k) {
            uint256 bits = marks[k];
            if (bits == 0) continue;
            uint256 owner = owners[k];
            mapping(uint256 => uint256) storage words = _nullifiers[address(uint160(owner))];
            uint256 word = owner >> 168;
            uint256 spent = words[word];
            words[word] = spent | bits;
            if (spent & bits == 0) continue;
            if (taken.length == 0) taken = new uint256[](owners.length);
            taken[k] = spent & bits;
        }
    }

    /// @inheritdoc IMarket
    function unmark(uint256[] calldata owners, uint256[] calldata marks) external onlyBatches {
        for (uint256 k; k < owners.length; ++k) {
            if (marks[k] != 0) _nullifiers[address(uint160(owners[k]))][owners[k] >> 168] &= ~marks[k];
        }
    }

    /// @inheritdoc IMarket
    function openClaimed(DealCore calldata core, bytes32 restHash_) external onlyBatches {
        bytes32 terms = _terms(core, restHash_);
        if (_claimed[terms] != 0) revert WrongState(_stateIn(bytes32(_claimed[terms])));
        _claimed[terms] = block.timestamp << 8 | uint256(State.Open);
        emit DealOpened(
            dealId(core.creator, core.jobNumber, core.attempt),
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
    }

    /// @inheritdoc IMarket
    function dealId(address creator, uint64 jobNumber, uint8 attempt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), creator, jobNumber, attempt));
    }

    /// @inheritdoc IMarket
    function termsDigest(DealCore calldata core, DealRest calldata rest) external view returns (bytes32) {
        return _terms(core, DealHash.rest(rest));
    }

    /// @inheritdoc IMarket
    function restHash(DealRest calldata rest) external pure returns (bytes32) {
        return DealHash.rest(rest);
    }

    /// @inheritdoc IMarket
    function digest(bytes32 structHash) external view returns (bytes32) {
        return _hashTypedDataV4(structHash);
    }

    /// @inheritdoc IMarket
    function lane(address provider, uint32 number) external view returns (bytes32 tag, State state) {
        bytes32 word = _lanes[provider][number];
        return (word >> 8 << 8, _stateIn(word));
    }

    /// @inheritdoc IMarket
    function stateOf(DealCore calldata core, bytes32 restHash_) external view returns (State) {
        return _stateOf(core, _terms(core, restHash_));
    }

    /// @inheritdoc IMarket
    function claimedAt(DealCore calldata core, bytes32 restHash_) external view returns (uint64) {
        return uint64(_claimed[_terms(core, restHash_)] >> 8);
    }

    /// @inheritdoc IMarket
    function submission(bytes32 id) external view returns (Submission memory) {
        return _submissions[id];
    }

    /// @inheritdoc IMarket
    function isNullified(address creator, uint64 jobNumber, uint8 attempt) external view returns (bool) {
        if (attempt >= MAX_ATTEMPTS) revert BadAttempt(attempt);
        uint256 place = _place(jobNumber, attempt);
        return _nullifiers[creator][place >> 8] >> (place & 0xff) & 1 == 1;
    }

    /// @dev Digest and state of the deal in its lane; reverts if the lane holds another.
    function _enter(DealCore calldata core, bytes32 restHash_) private view returns (bytes32 terms, State state) {
        terms = _terms(core, restHash_);
        state = _stateOf(core, terms);
        if (state == State.None) revert UnknownDeal();
    }

    /// @dev State of the deal with these terms; None if its lane holds another or none.
    function _stateOf(DealCore calldata core, bytes32 terms) private view returns (State) {
        if (core.lane == BATCHED) return _stateIn(bytes32(_claimed[terms]));
        bytes32 word = _lanes[core.provider][core.lane];
        return word >> 8 == terms >> 8 ? _stateIn(word) : State.None;
    }

    /// @dev Writes the state of a deal that is there.
    function _set(DealCore calldata core, bytes32 terms, State state) private {
        if (core.lane == BATCHED) _claimed[terms] = _claimed[terms] >> 8 << 8 | uint256(state);
        else _lanes[core.provider][core.lane] = _word(terms, state);
    }

    /// @dev Last second to submit: a claim gives the provider another challengeSeconds.
    function _submitBy(DealCore calldata core, DealRest calldata rest, bytes32 terms, uint64 startedAt)
        private
        view
        returns (uint256 deadline)
    {
        deadline = uint256(startedAt) + rest.submitSeconds;
        if (core.lane == BATCHED) {
            uint256 grace = (_claimed[terms] >> 8) + rest.challengeSeconds;
            if (grace > deadline) deadline = grace;
        }
    }

    /// @dev Operators of sessions sign for their accounts, but for `open`, which counts against none.
    function _authorised(address account, address signer) internal view override returns (bool) {
        return VAULT.speaksFor(account, signer);
    }

    /// @dev Sets the nullifier bit of this attempt; reverts if it is set.
    function _nullifyOnce(DealCore calldata core, bytes32 id) private {
        uint256 place = _place(core.jobNumber, core.attempt);
        mapping(uint256 => uint256) storage words = _nullifiers[core.creator];
        uint256 spent = words[place >> 8];
        uint256 bit = 1 << (place & 0xff);
        if (spent & bit != 0) revert Nullified(id);
        words[place >> 8] = spent | bit;
    }

    /// @dev Checks a start receipt: this deal, in time, signed by both. Returns the dealId.
    function _started(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) private view returns (bytes32 id) {
        id = dealId(core.creator, core.jobNumber, core.attempt);
        if (receipt.dealId != id) revert WrongDeal(receipt.dealId);
        if (receipt.startedAt > rest.startBy || receipt.startedAt > block.timestamp) {
            revert BadStart(receipt.startedAt);
        }
        bytes32 hash = _hashTypedDataV4(DealHash.start(receipt));
        _requireSignedBy(core.creator, hash, creatorSig);
        _requireSignedBy(core.provider, hash, providerSig);
    }

    /// @dev Writes the terminal state and pays out; what `payout` leaves goes to the pool.
    function _close(
        DealCore calldata core,
        bytes32 terms,
        bytes32 id,
        State from,
        State to,
        uint64 extra,
        Payout memory payout
    ) private {
        uint64 escrow = _escrow(core) + extra;
        _set(core, terms, to);
        uint64 toFee = core.feeTo == address(0) ? 0 : payout.toFee;
        uint64 toPool = escrow - payout.toProvider - payout.toCreator - toFee - payout.toMediator;
        emit DealClosed(id, from, to, payout.toProvider, payout.toCreator, toFee, payout.toMediator, toPool);
        VAULT.release(
            core.provider,
            escrow,
            payout.toProvider,
            core.creator,
            payout.toCreator,
            core.feeTo,
            payout.toFee,
            payout.mediator,
            payout.toMediator
        );
    }

    function _terms(DealCore calldata core, bytes32 restHash_) private view returns (bytes32) {
        return _hashTypedDataV4(DealHash.terms(core, restHash_));
    }

    /// @dev Bit of an attempt in its creator's bitmap: 32 jobs to a word, all attempts of one in it.
    function _place(uint64 jobNumber, uint8 attempt) private pure returns (uint256) {
        unchecked {
            return uint256(jobNumber) * MAX_ATTEMPTS + attempt;
        }
    }

    /// @dev What `open` locked, both sides together. Unchecked: for terms found in a lane only, whose
    /// money was all there.
    function _escrow(DealCore calldata core) private pure returns (uint64) {
        unchecked {
            return core.price + core.fee + core.reserve + core.collateral;
        }
    }

    function _word(bytes32 terms, State state) private pure returns (bytes32) {
        return (terms >> 8 << 8) | bytes32(uint256(state));
    }

    function _stateIn(bytes32 word) private pure returns (State) {
        return State(uint8(uint256(word)));
    }
}
