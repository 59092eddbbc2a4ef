// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {CourtBase} from "./CourtBase.sol";
import {ICourtAnnex} from "./interfaces/ICourtAnnex.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {CaseWord} from "./libraries/CaseWord.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Division} from "./libraries/Division.sol";
import {Draw} from "./libraries/Draw.sol";
import {
    DealCore,
    DealRest,
    Docket,
    MediatorList,
    Panel,
    Payout,
    Ruling,
    Signature,
    State,
    Verdict
} from "./libraries/DealTypes.sol";

/// @title The rare half of the Court: silence, appeals, audits, equivocation
/// @dev Code that the Court runs as its own by delegatecall, since one contract holds 24,576 bytes. The Court
/// creates it and nobody can change it; called by itself it can do nothing, for Market and Vault do not know it.
contract CourtAnnex is ICourtAnnex, CourtBase {
    using CaseWord for uint256;

    /// @notice How often silent mediators are replaced.
    uint256 public constant MAX_ROUNDS = 2;

    bytes32 private constant _ENLIST_TYPEHASH = keccak256("Enlist(address account,bool listed,uint64 nonce)");

    constructor(IVault vault, IMarket market, uint64 minBond, address appealJudge)
        CourtBase(vault, market, minBond, appealJudge)
    {}

    /// @inheritdoc ICourtAnnex
    function enlist(address account, bool listed, uint64 nonce, bytes calldata signature) external {
        uint64 expected = uint64(_entries[account] >> 64);
        if (nonce != expected) revert BadNonce(nonce, expected);
        bytes32 hash = keccak256(abi.encode(_ENLIST_TYPEHASH, account, listed, nonce));
        if (!SignatureChecker.isValidSignatureNowCalldata(account, _digest(hash), signature)) {
            revert NotTheMediator(account);
        }
        _entries[account] += 1 << 64;
        _enlist(account, listed);
    }

    /// @inheritdoc ICourtAnnex
    function strike(address account) external {
        if (VAULT.bondOf(account) >= MIN_BOND) revert BadRegistration();
        _enlist(account, false);
    }

    /// @inheritdoc ICourtAnnex
    function timeoutVerdict(
        DealCore calldata core,
        Docket memory docket,
        Panel memory panel,
        MediatorList calldata list
    ) external returns (address[] memory drawn) {
        (bytes32 id, uint256 word) = _sitting(core, docket, panel);
        if (block.timestamp <= word.until()) revert TooEarly(word.until());
        Draw.check(list, docket.mediatorRoot);
        bytes32 terms = _terms(core, docket);
        drawn = _replaced(core, docket, panel, list, id, word);
        if (drawn.length == 0) {
            // Both sides are refunded; who answered is paid.
            _rule(core, docket, panel, word, Division.INCONCLUSIVE);
            return drawn;
        }
        uint256 until = block.timestamp + docket.window;
        for (uint256 seat; seat < word.seats(); ++seat) {
            if (_vote(word.votes(), seat) != 0) continue;
            emit MediatorReplaced(id, panel.mediators[seat], seat);
            emit MediatorDrawn(id, drawn[seat], panel.saltProvider, until);
        }
        bytes32 tag = _panelTag(_tag(terms, docket), panel.saltProvider, drawn);
        MARKET.setCase(
            terms,
            CaseWord.pack(State.Drawn, CaseWord.SITTING, word.round() + 1, word.seats(), word.votes(), until, tag)
        );
    }

    /// @inheritdoc ICourtAnnex
    function appeal(
        DealCore calldata core,
        Docket memory docket,
        Ruling memory ruling,
        address appellant,
        Signature calldata signature
    ) external {
        (bytes32 id, bytes32 tag, uint256 word) = _ruled(core, docket, ruling, CaseWord.RULED);
        if (block.timestamp > word.until()) revert TooLate(word.until());
        if (appellant != core.creator && appellant != core.provider) revert NotAParty(appellant);
        _requireSignedBy(appellant, _digest(DealHash.appeal(id)), signature);
        uint256 until = block.timestamp + MAX_WINDOW;
        emit Appealed(id, appellant, until);
        Ruling memory appealed = ruling;
        appealed.appellant = appellant;
        _keep(core, docket, tag, appealed, CaseWord.APPEALED, until);
        VAULT.stake(appellant, MIN_BOND);
    }

    /// @inheritdoc ICourtAnnex
    function judge(DealCore calldata core, Docket memory docket, Ruling memory ruling, uint8 outcome) external {
        if (msg.sender != APPEAL_JUDGE) revert NotTheJudge();
        (bytes32 id,, uint256 word) = _ruled(core, docket, ruling, CaseWord.APPEALED);
        if (block.timestamp > word.until()) revert TooLate(word.until());
        if (outcome == 0 || outcome > Division.INCONCLUSIVE) revert BadOutcome(outcome);
        bool overturned = outcome != ruling.outcome;
        emit AppealEnded(id, outcome, overturned);
        if (!overturned) {
            _loseAppeal(core, docket, ruling.appellant);
            _pay(core, docket, ruling);
            return;
        }
        VAULT.payBatch(ruling.appellant, MIN_BOND, new uint256[](0));
        // The mediators' fee goes to the pool.
        (State to, Payout memory payout) = Division.ruled(core, docket, outcome, docket.auditFee);
        _conclude(core, docket, to, payout);
    }

    /// @inheritdoc ICourtAnnex
    function conclude(DealCore calldata core, Docket memory docket, Ruling memory ruling) external {
        bool appealed = ruling.appellant != address(0);
        (bytes32 id,, uint256 word) = _ruled(core, docket, ruling, appealed ? CaseWord.APPEALED : CaseWord.RULED);
        if (block.timestamp <= word.until()) revert TooEarly(word.until());
        if (appealed) {
            emit AppealEnded(id, ruling.outcome, false);
            _loseAppeal(core, docket, ruling.appellant);
        }
        _pay(core, docket, ruling);
    }

    /// @inheritdoc ICourtAnnex
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
        _requireUndisputed(MARKET.stateOf(core, restHash));
        if (verdict_.dealId != id) revert WrongDeal(verdict_.dealId);
        if (verdict_.outcome != Division.CORRECT) revert BadOutcome(verdict_.outcome);
        if (core.reserve < rest.auditFee) revert ReserveTooLow(core.reserve, rest.auditFee);
        Draw.check(list, rest.mediatorRoot);
        _requireSalt(saltCreator, rest.creatorSaltHash);
        _requireSalt(saltProvider, rest.providerSaltHash);
        Payout memory payout;
        payout.mediators = new address[](1);
        address mediator = _auditor(core, list, saltCreator, saltProvider);
        payout.mediators[0] = mediator;
        if (!_isLiveSince(mediator, block.timestamp)) revert NoMediator();
        _requireSignedBy(mediator, _digest(_verdictHash(verdict_)), mediatorSig);
        _requireSignedBy(core.creator, _digest(DealHash.acceptance(id, verdict_.manifest)), creatorSig);
        emit VerdictGiven(id, mediator, verdict_.outcome, verdict_.evidence);
        payout.toProvider = core.price + core.collateral;
        payout.toFee = core.fee;
        payout.toEach = rest.auditFee;
        payout.toCreator = core.reserve - rest.auditFee;
        MARKET.conclude(core, restHash, State.Settled, 0, payout);
    }

    /// @inheritdoc ICourtAnnex
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
        _requireSignedBy(mediator, _digest(_verdictHash(one)), oneSig);
        _requireSignedBy(mediator, _digest(_verdictHash(other)), otherSig);
        emit MediatorSlashed(one.dealId, mediator, VAULT.slashBond(mediator));
    }

    /// @dev Slashes the silent and draws others into their seats; empty if no round is left or not all of them
    /// can be replaced.
    function _replaced(
        DealCore calldata core,
        Docket memory docket,
        Panel memory panel,
        MediatorList calldata list,
        bytes32 id,
        uint256 word
    ) private returns (address[] memory drawn) {
        uint256 silent;
        for (uint256 seat; seat < word.seats(); ++seat) {
            if (_vote(word.votes(), seat) != 0) continue;
            _slashSilent(core, docket, id, panel.mediators[seat]);
            ++silent;
        }
        if (silent == 0 || word.round() == MAX_ROUNDS) return drawn;
        uint64 eligible = _strangers(core, list);
        for (uint256 i; i < list.mediators.length; ++i) {
            for (uint256 j; j < panel.mediators.length; ++j) {
                if (list.mediators[i] == panel.mediators[j]) eligible &= ~(uint64(1) << uint64(i));
            }
        }
        address[] memory fresh = new address[](silent);
        bytes32 seed = Draw.seed(docket.saltCreator, panel.saltProvider, id);
        if (_draw(fresh, list, eligible, seed, word.round() + 1, word.until() - docket.window) < silent) {
            return drawn;
        }
        uint256 last = panel.mediators.length;
        drawn = new address[](last + silent);
        for (uint256 i; i < last; ++i) {
            drawn[i] = panel.mediators[i];
        }
        silent = 0;
        for (uint256 seat; seat < word.seats(); ++seat) {
            if (_vote(word.votes(), seat) != 0) continue;
            drawn[last + silent] = drawn[seat];
            drawn[seat] = fresh[silent++];
        }
    }

    function _ruled(DealCore calldata core, Docket memory docket, Ruling memory ruling, uint256 phase)
        private
        view
        returns (bytes32 id, bytes32 tag, uint256 word)
    {
        (id, tag, word) = _case(core, docket);
        if (word.state() != State.Drawn || word.phase() != phase) revert NotDisputable();
        if (!word.isFor(keccak256(abi.encode(tag, ruling)))) revert WrongCase(id);
    }

    /// @dev The bond of a lost appeal: the other party gets its pinned cost of a delay, the pool the rest.
    function _loseAppeal(DealCore calldata core, Docket memory docket, address appellant) private {
        uint64 cost = docket.claimFee < MIN_BOND ? docket.claimFee : MIN_BOND;
        uint256[] memory to = new uint256[](2);
        to[0] = uint256(cost) << 168 | uint160(appellant == core.creator ? core.provider : core.creator);
        to[1] = uint256(MIN_BOND - cost) << 168;
        VAULT.payBatch(appellant, 0, to);
    }

    function _verdictHash(Verdict calldata v) private pure returns (bytes32) {
        return DealHash.verdict(v.dealId, v.manifest, v.outcome, v.evidence);
    }
}
