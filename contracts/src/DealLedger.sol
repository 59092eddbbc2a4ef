// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
import {Words} from "./libraries/Words.sol";
import {DealCore, DealRest, Payout, Signature, State, Submission} from "./libraries/DealTypes.sol";

/// @title Where deals stand: lanes, cases, nullifiers; and what Court and Batches do with them
/// @dev A deal lives in one word of its provider, `lane`: the terms digest's upper 248 bits and the
/// state byte. A terminal word is overwritten by the next deal, which saves 17,100 gas each time. A
/// claimed leaf has a word under its terms instead: nobody can keep its lane busy. In a dispute either
/// kind has that word, and the Court writes it.
abstract contract DealLedger is IMarket, EIP712, SignedBy {
    using Words for uint256[];

    /// @notice Attempts per job: one byte of the nullifier word.
    uint8 public constant MAX_ATTEMPTS = 8;
    /// @notice Lane of batched deals.
    uint32 public constant BATCHED = type(uint32).max;

    IVault public immutable VAULT;
    address public immutable COURT;
    address public immutable BATCHES;

    mapping(address provider => mapping(uint32 lane => bytes32)) internal _lanes;
    mapping(address creator => mapping(uint256 word => uint256)) internal _nullifiers;
    mapping(bytes32 dealId => Submission) internal _submissions;
    /// @dev State byte, and above it of a claimed leaf the time of its claim, in a dispute what
    /// libraries/CaseWord.sol says.
    mapping(bytes32 terms => uint256) internal _cases;

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

    // ---- for the Court ----

    /// @inheritdoc IMarket
    function dispute(DealCore calldata core, bytes32 restHash_, uint64 extra, uint256 word) external onlyCourt {
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state != State.Open && state != State.Submitted) revert WrongState(state);
        _set(core, terms, State.Challenged);
        _cases[terms] = word;
        if (extra == 0) return;
        emit DealDisputed(_id(core), extra);
        uint64 taken = VAULT.pull(core.creator, core.provider, extra);
        if (taken != extra) revert IVault.InsufficientFree(core.creator, taken, extra);
    }

    /// @inheritdoc IMarket
    function setCase(bytes32 terms, uint256 word) external onlyCourt {
        _cases[terms] = word;
    }

    /// @inheritdoc IMarket
    function caseOf(bytes32 terms) external view returns (uint256) {
        return _cases[terms];
    }

    /// @inheritdoc IMarket
    function conclude(DealCore calldata core, bytes32 restHash_, State to, uint64 extra, Payout calldata payout)
        external
        onlyCourt
    {
        (bytes32 terms, State state) = _enter(core, restHash_);
        if (state == State.None || state >= State.Settled || to < State.Settled) revert WrongState(state);
        if (core.lane != BATCHED) delete _cases[terms];
        _close(core, terms, _id(core), state, to, extra, payout);
    }

    // ---- for Batches ----

    /// @inheritdoc IMarket
    function mark(uint256[] calldata owners, uint256[] calldata marks)
        external
        onlyBatches
        returns (uint256[] memory taken)
    {
        // Unchecked: Batches brings as many marks as owners.
        unchecked {
            for (uint256 k; k < owners.length; ++k) {
                uint256 bits = marks.get(k);
                if (bits == 0) continue;
                uint256 owner = owners.get(k);
                mapping(uint256 => uint256) storage words = _nullifiers[address(uint160(owner))];
                uint256 word = owner >> 168;
                uint256 spent = words[word];
                words[word] = spent | bits;
                if (spent & bits == 0) continue;
                if (taken.length == 0) taken = new uint256[](owners.length);
                taken[k] = spent & bits;
            }
        }
    }

    /// @inheritdoc IMarket
    function unmark(uint256[] calldata owners, uint256[] calldata marks) external onlyBatches {
        for (uint256 k; k < owners.length; ++k) {
            if (marks[k] != 0) _nullifiers[address(uint160(owners[k]))][owners[k] >> 168] &= ~marks[k];
        }
    }

    /// @inheritdoc IMarket
    function openClaimed(DealCore calldata core, bytes32 terms) external onlyBatches {
        uint256 word = _cases[terms];
        if (word != 0) revert WrongState(State(uint8(word)));
        _cases[terms] = block.timestamp << 8 | uint256(State.Open);
        emit DealOpened(
            _id(core),
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

    // ---- looking ----

    /// @inheritdoc IMarket
    function dealId(address creator, uint64 jobNumber, uint8 attempt) external view returns (bytes32) {
        return DealHash.id(address(this), creator, jobNumber, attempt);
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
        uint256 word = _cases[_terms(core, restHash_)];
        State state = State(uint8(word));
        // A dispute or an end has taken the time's place.
        return state == State.Open || state == State.Submitted ? uint64(word >> 8) : 0;
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

    // ---- shared ----

    /// @dev Digest and state of the deal in its lane; reverts if the lane holds another.
    function _enter(DealCore calldata core, bytes32 restHash_) internal view returns (bytes32 terms, State state) {
        terms = _terms(core, restHash_);
        state = _stateOf(core, terms);
        if (state == State.None) revert UnknownDeal();
    }

    /// @dev State of the deal with these terms; None if its lane holds another or none.
    function _stateOf(DealCore calldata core, bytes32 terms) internal view returns (State) {
        if (core.lane == BATCHED) return State(uint8(_cases[terms]));
        bytes32 word = _lanes[core.provider][core.lane];
        if (word >> 8 != terms >> 8) return State.None;
        State state = _stateIn(word);
        return state == State.Challenged ? State(uint8(_cases[terms])) : state;
    }

    /// @dev Writes the state of a deal that is there; a claimed leaf's time stays until a dispute.
    function _set(DealCore calldata core, bytes32 terms, State state) internal {
        if (core.lane == BATCHED) _cases[terms] = _cases[terms] >> 8 << 8 | uint256(state);
        else _lanes[core.provider][core.lane] = _word(terms, state);
    }

    /// @dev Sets the nullifier bit of this attempt; reverts if it is set.
    function _nullifyOnce(DealCore calldata core, bytes32 id) internal {
        uint256 place = _place(core.jobNumber, core.attempt);
        mapping(uint256 => uint256) storage words = _nullifiers[core.creator];
        uint256 spent = words[place >> 8];
        uint256 bit = 1 << (place & 0xff);
        if (spent & bit != 0) revert Nullified(id);
        words[place >> 8] = spent | bit;
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
    ) internal {
        uint64 escrow = _escrow(core) + extra;
        _set(core, terms, to);
        uint64 toFee = core.feeTo == address(0) ? 0 : payout.toFee;
        uint256 count = payout.mediators.length;
        uint64 toMediators = uint64(payout.toEach * count);
        uint64 toPool = escrow - payout.toProvider - payout.toCreator - toFee - toMediators;
        emit DealClosed(id, from, to, payout.toProvider, payout.toCreator, toFee, toMediators, toPool);
        if (count > 1) {
            uint256[] memory words = new uint256[](count);
            for (uint256 i; i < count; ++i) {
                words[i] = uint256(payout.toEach) << 168 | uint160(payout.mediators[i]);
            }
            VAULT.payBatch(core.provider, 0, words);
            escrow -= toMediators;
        }
        VAULT.release(
            core.provider,
            escrow,
            payout.toProvider,
            core.creator,
            payout.toCreator,
            core.feeTo,
            payout.toFee,
            count == 1 ? payout.mediators[0] : address(0),
            count == 1 ? payout.toEach : 0
        );
    }

    function _id(DealCore calldata core) internal view returns (bytes32) {
        return DealHash.id(address(this), core.creator, core.jobNumber, core.attempt);
    }

    function _terms(DealCore calldata core, bytes32 restHash_) internal view returns (bytes32) {
        return _hashTypedDataV4(DealHash.terms(core, restHash_));
    }

    /// @dev Bit of an attempt in its creator's bitmap: 32 jobs to a word, all attempts of one in it.
    function _place(uint64 jobNumber, uint8 attempt) internal pure returns (uint256) {
        unchecked {
            return uint256(jobNumber) * MAX_ATTEMPTS + attempt;
        }
    }

    /// @dev What `open` locked, both sides together. Unchecked: for terms found in a lane only, whose
    /// money was all there.
    function _escrow(DealCore calldata core) internal pure returns (uint64) {
        unchecked {
            return core.price + core.fee + core.reserve + core.collateral;
        }
    }

    function _word(bytes32 terms, State state) internal pure returns (bytes32) {
        return (terms >> 8 << 8) | bytes32(uint256(state));
    }

    function _stateIn(bytes32 word) internal pure returns (State) {
        return State(uint8(uint256(word)));
    }
}
