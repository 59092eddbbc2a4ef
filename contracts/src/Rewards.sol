// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IParams, Param} from "./interfaces/IParams.sol";
import {Candidate, IRewards, Posting, Round} from "./interfaces/IRewards.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Relayed} from "./Relayed.sol";

/// @title Rewards by cumulative Merkle roots
/// @dev What a root may promise is bounded twice, by the funds and by the epoch's budget, so that even a
/// false root that nobody contests pays no more than one epoch's budget too much.
contract Rewards is IRewards, Relayed, Nonces {
    using SafeERC20 for IERC20;

    bytes32 private constant _FUNDING_TYPEHASH = keccak256("RewardFunding(address from,uint64 amount,uint256 nonce)");
    bytes32 private constant _POSTING_TYPEHASH = keccak256(
        "RewardPosting(address poster,uint64 epoch,uint64 total,uint64 bond,bytes32 root,bytes32 data,uint256 nonce)"
    );

    IERC20 public immutable TOKEN;
    IVault public immutable VAULT;
    IParams public immutable PARAMS;
    /// @notice Who rules between two roots: the Timelock.
    address public immutable JUDGE;

    struct Sums {
        uint64 total;
        uint64 paid;
        uint64 funded;
    }

    struct Epoch {
        uint64 number;
        uint64 ends;
        uint64 budget;
    }

    /// @inheritdoc IRewards
    bytes32 public root;
    /// @inheritdoc IRewards
    Sums public sums;
    /// @inheritdoc IRewards
    Epoch public epoch;
    /// @inheritdoc IRewards
    mapping(address account => uint64) public claimed;

    Round private _round;
    Candidate private _first;
    Candidate private _second;

    constructor(IERC20 token, IVault vault, address market, IParams params, address judge) Relayed(market) {
        TOKEN = token;
        VAULT = vault;
        PARAMS = params;
        JUDGE = judge;
        epoch.ends = uint64(block.timestamp);
        _startEpoch();
        // The Vault takes tokens of its caller only, so nobody else can use this.
        token.forceApprove(address(vault), type(uint256).max);
    }

    /// @inheritdoc IRewards
    function fund(address from, uint64 amount, uint256 nonce, bytes calldata signature) external {
        _useCheckedNonce(from, nonce);
        _requireAccount(from, keccak256(abi.encode(_FUNDING_TYPEHASH, from, amount, nonce)), signature);
        sums.funded += amount;
        emit Funded(from, amount);
        TOKEN.safeTransferFrom(from, address(this), amount);
    }

    /// @inheritdoc IRewards
    function post(Posting calldata p, bytes calldata signature) external {
        Epoch memory e = epoch;
        if (p.epoch != e.number) revert WrongEpoch(e.number);
        if (block.timestamp < e.ends) revert TooEarly(e.ends);
        if (p.root == 0) revert BadRoot();
        _requireTotal(p.total, e.budget);
        _useCheckedNonce(p.poster, p.nonce);
        _requireAccount(p.poster, keccak256(abi.encode(_POSTING_TYPEHASH, p)), signature);
        uint8 candidate = _first.poster == address(0) ? _open(p) : _contest(p);
        Round memory r = _round;
        if (p.bond != r.bond) revert BadBond(r.bond);
        emit Posted(r.id, p.epoch, candidate, p.poster, p.total, p.root, p.data, r.challengeBy, r.ruleBy);
        TOKEN.safeTransferFrom(p.poster, address(this), p.bond);
    }

    /// @inheritdoc IRewards
    function finalize() external {
        uint64 deadline = _round.challengeBy;
        if (_second.poster != address(0)) revert Contested();
        if (_first.poster == address(0) || block.timestamp <= deadline) revert TooEarly(deadline);
        address poster = _first.poster;
        _accept(_first);
        TOKEN.safeTransfer(poster, _close());
    }

    /// @inheritdoc IRewards
    function rule(uint64 round, uint8 winner) external {
        if (msg.sender != JUDGE) revert NotJudge();
        if (round != _round.id || winner > 2) revert WrongRound(_round.id);
        if (_second.poster == address(0)) revert NotContested();
        if (block.timestamp > _round.ruleBy) revert TooLate(_round.ruleBy);
        Candidate memory won = winner == 1 ? _first : _second;
        if (winner != 0) _accept(won);
        uint64 bond = _close();
        uint64 forfeited = winner == 0 ? 2 * bond : bond;
        sums.funded += forfeited;
        emit Ruled(round, winner, forfeited);
        if (winner != 0) TOKEN.safeTransfer(won.poster, bond);
    }

    /// @inheritdoc IRewards
    function lapse() external {
        (address one, address other) = (_first.poster, _second.poster);
        if (other == address(0)) revert NotContested();
        if (block.timestamp <= _round.ruleBy) revert TooEarly(_round.ruleBy);
        emit Lapsed(_round.id);
        uint64 bond = _close();
        TOKEN.safeTransfer(one, bond);
        TOKEN.safeTransfer(other, bond);
    }

    /// @inheritdoc IRewards
    function claim(address account, uint64 amount, bytes32[] calldata proof) external {
        uint64 before = claimed[account];
        if (amount <= before || !MerkleProof.verifyCalldata(proof, root, leaf(account, amount))) {
            revert NothingToClaim(account, before);
        }
        uint64 due = amount - before;
        Sums memory s = sums;
        if (due > s.total - s.paid) revert BeyondTotal();
        claimed[account] = amount;
        sums.paid = s.paid + due;
        emit Claimed(account, due);
        VAULT.deposit(account, due);
    }

    /// @inheritdoc IRewards
    function running() external view returns (Round memory, Candidate memory, Candidate memory) {
        return (_round, _first, _second);
    }

    /// @inheritdoc IRewards
    function leaf(address account, uint64 amount) public pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(account, amount))));
    }

    function _requireTotal(uint64 total, uint64 budget) private view {
        Sums memory s = sums;
        uint64 most = uint64(Math.min(uint256(s.total) + budget, s.funded));
        if (total < s.total || total > most) revert BadTotal(total, s.total, most);
    }

    function _open(Posting calldata p) private returns (uint8) {
        uint64 challengeBy = uint64(block.timestamp) + PARAMS.get(Param.ChallengeSeconds);
        uint64 ruleBy = challengeBy + PARAMS.get(Param.RulingSeconds);
        _round = Round(_round.id + 1, PARAMS.get(Param.PosterBond), challengeBy, ruleBy);
        _first = Candidate(p.poster, p.total, p.root);
        return 1;
    }

    function _contest(Posting calldata p) private returns (uint8) {
        if (_second.poster != address(0)) revert Contested();
        if (block.timestamp > _round.challengeBy) revert TooLate(_round.challengeBy);
        if (p.root == _first.root && p.total == _first.total) revert BadRoot();
        _second = Candidate(p.poster, p.total, p.root);
        return 2;
    }

    function _accept(Candidate memory c) private {
        root = c.root;
        sums.total = c.total;
        emit Finalized(_round.id, epoch.number, c.total, c.root);
        _startEpoch();
    }

    /// @dev Ends the round, keeping its id; returns the bond of a candidate, which is still to be paid out.
    function _close() private returns (uint64 bond) {
        bond = _round.bond;
        _round = Round(_round.id, 0, 0, 0);
        delete _first;
        delete _second;
    }

    /// @dev The next epoch begins where the last ended, however late its root came.
    function _startEpoch() private {
        Epoch memory e = epoch;
        e = Epoch(e.number + 1, e.ends + PARAMS.get(Param.EpochSeconds), PARAMS.get(Param.EpochBudget));
        epoch = e;
        emit EpochStarted(e.number, e.ends, e.budget);
    }
}
