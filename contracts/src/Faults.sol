// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchLedger} from "./BatchLedger.sol";
import {IFaults} from "./interfaces/IFaults.sol";
import {Accusation, Batch, Opening, Reveal} from "./libraries/BatchTypes.sol";
import {BatchHash} from "./libraries/BatchHash.sol";
import {DealCore, Signature} from "./libraries/DealTypes.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Rows} from "./libraries/Rows.sol";

/// @title A solver's faults, each by accusation and answer on chain facts alone
abstract contract Faults is IFaults, BatchLedger {
    /// @notice nLILY that an accusation locks, and the most that a victim gets beyond its own money.
    uint64 public constant STAKE = 1e9;

    mapping(bytes32 key => Accusation) private _accusations;

    /// @inheritdoc IFaults
    function disown(Batch calldata b, uint256 leaf, address account, Signature calldata signature) external {
        bytes32 id = _enter(b);
        if (leaf >= b.rows.length || _isResolved(b, leaf)) revert LeafResolved(leaf);
        if (block.timestamp + _answerSeconds() > b.expiry) revert TooLate(b.expiry);
        uint256 row = b.rows[leaf];
        if (
            account != Rows.account(b.owners[Rows.creator(row)])
                && account != Rows.account(b.owners[Rows.provider(row)])
        ) revert NotAnOwner(account);
        _requireSignedBy(account, _digest(keccak256(abi.encode(BatchHash.DISOWN_TYPEHASH, id, leaf))), signature);
        _accuse(_leafKey(id, leaf), b.solver, account);
    }

    /// @inheritdoc IFaults
    function answerDisown(
        Opening calldata o,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external {
        bytes32 id = _opened(o);
        _requireConsents(core, _requireLeaf(o, core, restHash), creatorSig, providerSig);
        _answer(_leafKey(id, o.leaf), o.solver);
    }

    /// @inheritdoc IFaults
    function concludeDisown(Batch calldata b, uint256 leaf) external {
        bytes32 key = _leafKey(_enter(b), leaf);
        address claimant = _unanswered(key);
        uint64 slashed;
        if (!_isResolved(b, leaf)) {
            uint256 row = b.rows[leaf];
            _giveBack(b, 1 << leaf);
            uint256 sum = Rows.fromCreator(row) + Rows.collateral(row);
            slashed = VAULT.slash(b.solver, uint64(sum), claimant, STAKE);
        }
        emit Concluded(key, b.solver, slashed);
    }

    /// @inheritdoc IFaults
    function accusePromise(
        address solver,
        uint64 openBy,
        Signature calldata solverSig,
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external {
        if (block.timestamp <= openBy) revert TooEarly(openBy);
        if (core.lane != BATCHED) revert NotBatched(core.lane);
        uint256 deadline = uint256(openBy) + _UNBONDING / 4;
        if (block.timestamp > deadline) revert TooLate(deadline);
        bytes32 terms = _digest(DealHash.terms(core, restHash));
        bytes32 id = _dealId(core);
        _requireSignedBy(
            solver, _digest(keccak256(abi.encode(BatchHash.PROMISE_TYPEHASH, id, terms, solver, openBy))), solverSig
        );
        _requireConsents(core, terms, creatorSig, providerSig);
        if (MARKET.isNullified(core.creator, core.jobNumber, core.attempt)) revert PromiseKept(id);
        _accuse(_promiseKey(solver, openBy, terms), solver, msg.sender);
    }

    /// @inheritdoc IFaults
    function answerPromise(uint64 openBy, Opening calldata o, DealCore calldata core, bytes32 restHash) external {
        _opened(o);
        bytes32 terms = _requireLeaf(o, core, restHash);
        if (o.committedAt > openBy || o.voided >> o.leaf & 1 == 0) revert BadLeaf(o.leaf);
        _answer(_promiseKey(o.solver, openBy, terms), o.solver);
    }

    /// @inheritdoc IFaults
    function concludePromise(address solver, uint64 openBy, DealCore calldata core, bytes32 restHash) external {
        bytes32 key = _promiseKey(solver, openBy, _digest(DealHash.terms(core, restHash)));
        _unanswered(key);
        emit Concluded(key, solver, VAULT.slash(solver, core.price + core.fee, core.creator, STAKE));
    }

    /// @inheritdoc IFaults
    function slashReveals(
        address solver,
        uint64 epoch,
        Reveal[2] calldata reveals,
        Signature[2] calldata signatures
    ) external {
        bytes32[2] memory hashes;
        for (uint256 i; i < 2; ++i) {
            Reveal calldata r = reveals[i];
            if (r.salt == 0) revert NotAReveal(i);
            hashes[i] = keccak256(
                abi.encode(BatchHash.REVEAL_TYPEHASH, epoch, solver, r.solutionId, r.certificateId, r.salt)
            );
            _requireSignedBy(solver, _digest(hashes[i]), signatures[i]);
        }
        if (hashes[0] == hashes[1]) revert SameReveal();
        emit RevealedTwice(solver, epoch, VAULT.slash(solver, type(uint64).max, address(0), 0));
    }

    /// @inheritdoc IFaults
    function accusation(bytes32 key) external view returns (Accusation memory) {
        return _accusations[key];
    }

    /// @dev Seconds for an answer.
    function _answerSeconds() private view returns (uint64) {
        return _UNBONDING / 8;
    }

    function _isResolved(Batch calldata b, uint256 leaf) private view returns (bool) {
        return _slots[b.solver][b.slot].resolved >> leaf & 1 == 1;
    }

    function _leafKey(bytes32 id, uint256 leaf) private pure returns (bytes32) {
        return keccak256(abi.encode(BatchHash.DISOWN_TYPEHASH, id, leaf));
    }

    function _promiseKey(address solver, uint64 openBy, bytes32 terms) private pure returns (bytes32) {
        return keccak256(abi.encode(BatchHash.PROMISE_TYPEHASH, solver, openBy, terms));
    }

    /// @dev Locks the claimant's stake; one accusation per key, ever, but for answered disownments of
    /// nothing: an answered key stays closed too.
    function _accuse(bytes32 key, address solver, address claimant) private {
        Accusation storage a = _accusations[key];
        if (a.answerBy != 0) revert BadAccusation(key);
        uint64 answerBy = uint64(block.timestamp) + _answerSeconds();
        _accusations[key] = Accusation(claimant, answerBy);
        emit Accused(key, solver, claimant, answerBy);
        VAULT.stake(claimant, STAKE);
    }

    /// @dev Gives the stake to the solver.
    function _answer(bytes32 key, address solver) private {
        Accusation storage a = _accusations[key];
        address claimant = a.claimant;
        if (claimant == address(0)) revert BadAccusation(key);
        if (block.timestamp > a.answerBy) revert TooLate(a.answerBy);
        a.claimant = address(0);
        emit Answered(key);
        uint256[] memory to = new uint256[](1);
        to[0] = uint256(STAKE) << 168 | uint160(solver);
        VAULT.payBatch(claimant, 0, to);
    }

    /// @dev Closes an accusation whose time is over and returns the stake.
    function _unanswered(bytes32 key) private returns (address claimant) {
        Accusation storage a = _accusations[key];
        claimant = a.claimant;
        if (claimant == address(0)) revert BadAccusation(key);
        if (block.timestamp <= a.answerBy) revert TooEarly(a.answerBy);
        a.claimant = address(0);
        VAULT.payBatch(claimant, STAKE, new uint256[](0));
    }
}
