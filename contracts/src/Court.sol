// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {Dispute, ICourt} from "./interfaces/ICourt.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Draw} from "./libraries/Draw.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
import {Market} from "./Market.sol";
import {Vault} from "./Vault.sol";
import {
    Challenge,
    DealCore,
    DealRest,
    MediatorList,
    Payout,
    ResultCommit,
    Signature,
    State,
    Submission,
    Verdict
} from "./libraries/DealTypes.sol";

/// @title Mediators, the draw, and the end of disputed deals
/// @dev Deal states stay in the Market and money in the Vault; this contract decides and orders.
contract Court is ICourt, SignedBy {
    using EnumerableSet for EnumerableSet.AddressSet;

    uint8 private constant _CORRECT = 1;
    uint8 private constant _WRONG = 2;
    uint8 private constant _INCONCLUSIVE = 3;

    Vault public immutable VAULT;
    Market public immutable MARKET;
    /// @notice nLILY a mediator must have bonded to be drawn.
    uint64 public immutable MIN_BOND;
    /// @notice Longest reveal or verdict window: half the unbonding time.
    uint64 public immutable MAX_WINDOW;

    EnumerableSet.AddressSet private _mediators;
    mapping(bytes32 dealId => Dispute) private _disputes;

    /// @dev The last contract of a deployment: it refuses a set that does not fit together.
    constructor(Vault vault, Market market, uint64 minBond) {
        if (
            vault.MARKET() != address(market) || vault.COURT() != address(this) || market.COURT() != address(this)
                || address(market.VAULT()) != address(vault)
        ) revert BadDeployment();
        VAULT = vault;
        MARKET = market;
        MIN_BOND = minBond;
        MAX_WINDOW = vault.UNBONDING() / 2;
    }

    /// @inheritdoc ICourt
    function register() external {
        uint64 bond = VAULT.bondOf(msg.sender);
        if (bond < MIN_BOND) revert BondTooLow(bond, MIN_BOND);
        if (!_mediators.add(msg.sender)) revert BadRegistration();
        emit MediatorRegistered(msg.sender);
    }

    /// @inheritdoc ICourt
    function retire() external {
        if (!_mediators.remove(msg.sender)) revert BadRegistration();
        emit MediatorRetired(msg.sender);
    }

    /// @inheritdoc ICourt
    function challenge(
        DealCore calldata core,
        DealRest calldata rest,
        MediatorList calldata list,
        ResultCommit calldata result,
        Signature calldata providerSig,
        Challenge calldata challenge_,
        Signature calldata creatorSig,
        bytes32 saltCreator
    ) external {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        _requireInTime(core, rest, restHash, id, result.manifest);
        Draw.check(list, rest.mediatorRoot);
        if (result.dealId != id) revert WrongDeal(result.dealId);
        if (challenge_.dealId != id) revert WrongDeal(challenge_.dealId);
        if (challenge_.manifest != result.manifest) revert WrongManifest(challenge_.manifest);
        if (challenge_.kind == 0 || challenge_.kind > 3) revert BadKind(challenge_.kind);
        _requireSalt(saltCreator, rest.creatorSaltHash);
        _requireSignedBy(core.provider, MARKET.digest(DealHash.result(result)), providerSig);
        _requireSignedBy(core.creator, MARKET.digest(DealHash.challenge(challenge_)), creatorSig);

        Dispute storage d = _disputes[id];
        d.challengedAt = uint64(block.timestamp);
        // Fixed now: the creator does not know the provider's salt, the provider learns the
        // creator's only here, so neither can steer the draw by bonds that come and go.
        d.eligible = _eligible(core, list, true);
        d.kind = challenge_.kind;
        d.saltCreator = saltCreator;
        d.manifest = result.manifest;
        emit Challenged(id, result.manifest, challenge_.kind, saltCreator, block.timestamp + _window(rest));
        uint64 costs = rest.auditFee + rest.claimFee;
        MARKET.dispute(core, restHash, costs > core.reserve ? costs - core.reserve : 0);
    }

    /// @inheritdoc ICourt
    function reveal(DealCore calldata core, DealRest calldata rest, MediatorList calldata list, bytes32 saltProvider)
        external
    {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        _requireState(core, restHash, State.Challenged);
        Dispute storage d = _disputes[id];
        uint256 deadline = uint256(d.challengedAt) + _window(rest);
        if (block.timestamp > deadline) revert TooLate(deadline);
        Draw.check(list, rest.mediatorRoot);
        _requireSalt(saltProvider, rest.providerSaltHash);
        address mediator = Draw.pick(list, d.eligible, Draw.seed(d.saltCreator, saltProvider, id));
        d.mediator = mediator;
        d.drawnAt = uint64(block.timestamp);
        emit MediatorDrawn(id, mediator, saltProvider, block.timestamp + _window(rest));
        MARKET.markDrawn(core, restHash);
    }

    /// @inheritdoc ICourt
    function timeoutReveal(DealCore calldata core, DealRest calldata rest) external {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        _requireState(core, restHash, State.Challenged);
        uint256 deadline = uint256(_disputes[id].challengedAt) + _window(rest);
        if (block.timestamp <= deadline) revert TooEarly(deadline);
        Payout memory payout;
        payout.toCreator = _creatorMoney(core, id) + _min(rest.claimFee, core.collateral);
        MARKET.conclude(core, restHash, State.TimedOut, payout);
    }

    /// @inheritdoc ICourt
    function verdict(
        DealCore calldata core,
        DealRest calldata rest,
        Verdict calldata verdict_,
        Signature calldata mediatorSig
    ) external {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        _requireState(core, restHash, State.Drawn);
        Dispute storage d = _disputes[id];
        uint256 deadline = uint256(d.drawnAt) + _window(rest);
        if (block.timestamp > deadline) revert TooLate(deadline);
        if (d.mediator == address(0)) revert NoMediator();
        if (verdict_.dealId != id) revert WrongDeal(verdict_.dealId);
        if (verdict_.manifest != d.manifest) revert WrongManifest(verdict_.manifest);
        _requireSignedBy(d.mediator, MARKET.digest(DealHash.verdict(verdict_)), mediatorSig);
        emit VerdictGiven(id, d.mediator, verdict_.outcome, verdict_.evidence);
        (State to, Payout memory payout) = _division(core, rest, id, verdict_.outcome);
        payout.mediator = d.mediator;
        MARKET.conclude(core, restHash, to, payout);
    }

    /// @inheritdoc ICourt
    function timeoutVerdict(DealCore calldata core, DealRest calldata rest) external {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        _requireState(core, restHash, State.Drawn);
        uint256 deadline = uint256(_disputes[id].drawnAt) + _window(rest);
        if (block.timestamp <= deadline) revert TooEarly(deadline);
        Payout memory payout;
        payout.toProvider = core.collateral;
        payout.toCreator = _creatorMoney(core, id);
        MARKET.conclude(core, restHash, State.Refunded, payout);
    }

    /// @inheritdoc ICourt
    function settleAudited(
        DealCore calldata core,
        DealRest calldata rest,
        MediatorList calldata list,
        bytes32 saltCreator,
        bytes32 saltProvider,
        Verdict calldata verdict_,
        Signature calldata mediatorSig,
        Signature calldata creatorSig
    ) external {
        bytes32 id = _dealId(core);
        bytes32 restHash = DealHash.rest(rest);
        State state = MARKET.stateOf(core, restHash);
        if (state != State.Open && state != State.Submitted) revert NotDisputable();
        if (verdict_.dealId != id) revert WrongDeal(verdict_.dealId);
        if (verdict_.outcome != _CORRECT) revert BadOutcome(verdict_.outcome);
        if (core.reserve < rest.auditFee) revert ReserveTooLow(core.reserve, rest.auditFee);
        Draw.check(list, rest.mediatorRoot);
        _requireSalt(saltCreator, rest.creatorSaltHash);
        _requireSalt(saltProvider, rest.providerSaltHash);
        Payout memory payout;
        payout.mediator = drawAudit(core, list, saltCreator, saltProvider);
        if (!isLive(payout.mediator)) revert NoMediator();
        _requireSignedBy(payout.mediator, MARKET.digest(DealHash.verdict(verdict_)), mediatorSig);
        _requireSignedBy(core.creator, MARKET.digest(DealHash.acceptance(id, verdict_.manifest)), creatorSig);
        emit VerdictGiven(id, payout.mediator, verdict_.outcome, verdict_.evidence);
        payout.toProvider = core.price + core.collateral;
        payout.toFee = core.fee;
        payout.toMediator = rest.auditFee;
        payout.toCreator = core.reserve - rest.auditFee;
        MARKET.conclude(core, restHash, State.Settled, payout);
    }

    /// @inheritdoc ICourt
    function slashEquivocation(
        address mediator,
        Verdict calldata one,
        Signature calldata oneSig,
        Verdict calldata other,
        Signature calldata otherSig
    ) external {
        if (one.dealId != other.dealId || one.manifest != other.manifest || one.outcome == other.outcome) {
            revert NotEquivocation();
        }
        _requireSignedBy(mediator, MARKET.digest(DealHash.verdict(one)), oneSig);
        _requireSignedBy(mediator, MARKET.digest(DealHash.verdict(other)), otherSig);
        emit MediatorSlashed(one.dealId, mediator, VAULT.slashBond(mediator));
    }

    /// @inheritdoc ICourt
    function disputeOf(bytes32 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @inheritdoc ICourt
    function windowOf(DealRest calldata rest) external view returns (uint64) {
        return _window(rest);
    }

    /// @inheritdoc ICourt
    function isLive(address mediator) public view returns (bool) {
        return _mediators.contains(mediator) && VAULT.bondOf(mediator) >= MIN_BOND;
    }

    /// @inheritdoc ICourt
    function mediatorCount() external view returns (uint256) {
        return _mediators.length();
    }

    /// @inheritdoc ICourt
    function mediators(uint256 start, uint256 end) external view returns (address[] memory) {
        return _mediators.values(start, end);
    }

    /// @inheritdoc ICourt
    function drawAudit(DealCore calldata core, MediatorList calldata list, bytes32 saltCreator, bytes32 saltProvider)
        public
        view
        returns (address)
    {
        // Bonds are left out of this draw: it happens off chain, and its sides must agree on it
        // without agreeing on a block.
        return Draw.pick(list, _eligible(core, list, false), Draw.seed(saltCreator, saltProvider, _dealId(core)));
    }

    /// @dev How a verdict divides the escrow. The challenge made sure that
    /// reserve + extra >= auditFee + claimFee.
    function _division(DealCore calldata core, DealRest calldata rest, bytes32 id, uint8 outcome)
        private
        view
        returns (State to, Payout memory payout)
    {
        uint64 creatorMoney = _creatorMoney(core, id);
        payout.toMediator = rest.auditFee;
        if (outcome == _CORRECT) {
            to = State.MediationAccepted;
            payout.toProvider = core.price + core.collateral + rest.claimFee;
            payout.toFee = core.fee;
            payout.toCreator = creatorMoney - core.price - core.fee - rest.claimFee - rest.auditFee;
        } else if (outcome == _WRONG) {
            // The loser pays the mediator, then the creator's pinned cost, as far as its collateral
            // goes; only then the creator's own money is touched.
            to = State.MediationRejected;
            uint64 audit = _min(rest.auditFee, core.collateral);
            payout.toCreator = creatorMoney - (rest.auditFee - audit) + _min(rest.claimFee, core.collateral - audit);
        } else if (outcome == _INCONCLUSIVE) {
            to = State.Refunded;
            payout.toProvider = core.collateral;
            payout.toCreator = creatorMoney - rest.auditFee;
        } else {
            revert BadOutcome(outcome);
        }
    }

    /// @dev Reverts unless a challenge over `manifest` is still possible.
    function _requireInTime(
        DealCore calldata core,
        DealRest calldata rest,
        bytes32 restHash,
        bytes32 id,
        bytes32 manifest
    ) private view {
        State state = MARKET.stateOf(core, restHash);
        uint256 deadline;
        if (state == State.Submitted) {
            Submission memory s = MARKET.submission(id);
            if (s.manifest != manifest) revert WrongManifest(manifest);
            deadline = uint256(s.submittedAt) + rest.judgeSeconds;
        } else if (state == State.Open) {
            deadline = uint256(rest.startBy) + rest.submitSeconds + rest.judgeSeconds;
        } else {
            revert NotDisputable();
        }
        if (block.timestamp > deadline) revert TooLate(deadline);
    }

    function _requireState(DealCore calldata core, bytes32 restHash, State wanted) private view {
        if (MARKET.stateOf(core, restHash) != wanted) revert NotDisputable();
    }

    function _requireSalt(bytes32 salt, bytes32 hash) private pure {
        if (keccak256(abi.encode(salt)) != hash) revert BadSalt();
    }

    /// @dev Bit i: mediator i is no party, and (if `live`) is registered with a full bond.
    function _eligible(DealCore calldata core, MediatorList calldata list, bool live)
        private
        view
        returns (uint64 bits)
    {
        for (uint256 i; i < list.mediators.length; ++i) {
            address m = list.mediators[i];
            if (m == core.creator || m == core.provider || m == core.feeTo) continue;
            if (!live || isLive(m)) bits |= uint64(1) << uint64(i);
        }
    }

    /// @dev What the creator has in the escrow: price, fee, reserve and what the challenge added.
    function _creatorMoney(DealCore calldata core, bytes32 id) private view returns (uint64) {
        return core.price + core.fee + core.reserve + MARKET.submission(id).extra;
    }

    function _authorised(address account, address signer) internal view override returns (bool) {
        return VAULT.speaksFor(account, signer);
    }

    function _dealId(DealCore calldata core) private view returns (bytes32) {
        return MARKET.dealId(core.creator, core.jobNumber, core.attempt);
    }

    function _window(DealRest calldata rest) private view returns (uint64) {
        return rest.challengeSeconds < MAX_WINDOW ? rest.challengeSeconds : MAX_WINDOW;
    }

    function _min(uint64 a, uint64 b) private pure returns (uint64) {
        return a < b ? a : b;
    }
}
