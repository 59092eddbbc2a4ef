// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourtEvents} from "./interfaces/ICourtEvents.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {CaseWord} from "./libraries/CaseWord.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Division} from "./libraries/Division.sol";
import {Domain} from "./libraries/Domain.sol";
import {Draw} from "./libraries/Draw.sol";
import {SignedBy} from "./libraries/SignedBy.sol";
import {DealCore, DealRest, Docket, MediatorList, Panel, Payout, Ruling, State} from "./libraries/DealTypes.sol";
import {Mediators} from "./Mediators.sol";

/// @title What both halves of the Court share: the case, its panel, its ruling, payment
abstract contract CourtBase is ICourtEvents, Mediators, SignedBy {
    using CaseWord for uint256;

    IMarket public immutable MARKET;
    /// @notice Decides appeals; zero: there are none.
    address public immutable APPEAL_JUDGE;
    /// @notice Longest step of a dispute, and what the judge has: half the unbonding time.
    uint64 public immutable MAX_WINDOW;
    /// @notice Verdicts that terms can ask for: 2 x 4 - 1 seats, two bits each, fit the case's word.
    uint8 public constant MAX_VERDICTS = 4;

    uint256 private immutable _CHAIN;
    bytes32 private immutable _DOMAIN;

    constructor(IVault vault, IMarket market, uint64 minBond, address appealJudge) Mediators(vault, minBond) {
        MARKET = market;
        APPEAL_JUDGE = appealJudge;
        MAX_WINDOW = vault.UNBONDING() / 2;
        _CHAIN = block.chainid;
        _DOMAIN = Domain.separator(address(market));
    }

    /// @dev A dispute is decided: pays, or waits for an appeal.
    function _decided(DealCore calldata core, Docket memory docket, Ruling memory ruling) internal {
        uint256 wait = _appealWindow(core, docket.appealSeconds, docket.verdicts, docket.window);
        if (wait == 0) {
            _pay(core, docket, ruling);
            return;
        }
        uint256 until = block.timestamp + wait;
        emit Ruled(_dealId(core), ruling.outcome, ruling.each, ruling.paid, until);
        _keep(core, docket, _tag(_terms(core, docket), docket), ruling, CaseWord.RULED, until);
    }

    /// @dev Takes a tenth of the minimum bond: the parties, who waited for nothing, get their pinned cost of a
    /// delay as far as that goes, the pool the rest.
    function _slashSilent(DealCore calldata core, Docket memory docket, bytes32 id, address mediator) internal {
        uint64 half = MIN_BOND / 20;
        uint64 slashed = VAULT.slash(mediator, half, core.creator, docket.claimFee);
        slashed += VAULT.slash(mediator, half, core.provider, docket.claimFee);
        emit MediatorSlashed(id, mediator, slashed);
    }

    function _conclude(DealCore calldata core, Docket memory docket, State to, Payout memory payout) internal {
        MARKET.conclude(core, docket.restHash, to, Division.extra(core, docket), payout);
    }

    /// @dev dealId, tag of the docket, and the case's word.
    function _case(DealCore calldata core, Docket memory docket)
        internal
        view
        returns (bytes32 id, bytes32 tag, uint256 word)
    {
        id = _dealId(core);
        bytes32 terms = _terms(core, docket);
        tag = _tag(terms, docket);
        word = MARKET.caseOf(terms);
    }

    function _tag(bytes32 terms, Docket memory docket) internal pure returns (bytes32) {
        return keccak256(abi.encode(terms, docket));
    }

    function _terms(DealCore calldata core, Docket memory docket) internal view returns (bytes32) {
        return _digest(DealHash.terms(core, docket.restHash));
    }

    function _dealId(DealCore calldata core) internal view returns (bytes32) {
        return DealHash.id(address(MARKET), core.creator, core.jobNumber, core.attempt);
    }

    /// @dev The digest, also right after the chain was forked.
    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return Domain.digest(block.chainid == _CHAIN ? _DOMAIN : Domain.separator(address(MARKET)), structHash);
    }

    function _authorised(address account, address signer) internal view override returns (bool) {
        return VAULT.speaksFor(account, signer);
    }

    function _window(DealRest calldata rest) internal view returns (uint64) {
        return rest.challengeSeconds < MAX_WINDOW ? rest.challengeSeconds : MAX_WINDOW;
    }

    /// @dev What the terms ask for; at least a step's length where the price is more than the bonds of the
    /// mediators that decide, so that it could pay to buy them.
    function _appealWindow(DealCore calldata core, uint64 asked, uint8 verdicts, uint64 window)
        internal
        view
        returns (uint256)
    {
        if (APPEAL_JUDGE == address(0)) return 0;
        uint256 bonds = uint256(verdicts == 0 ? 1 : verdicts) * MIN_BOND;
        if (core.price > bonds && asked < window) return window;
        return asked < MAX_WINDOW ? asked : MAX_WINDOW;
    }

    function _pay(DealCore calldata core, Docket memory docket, Ruling memory ruling) internal {
        (State to, Payout memory payout) = Division.ruled(
            core,
            docket,
            ruling.outcome,
            ruling.outcome == Division.INCONCLUSIVE
                ? uint64(ruling.each * ruling.paid.length)
                : docket.auditFee
        );
        payout.mediators = ruling.paid;
        payout.toEach = ruling.each;
        _conclude(core, docket, to, payout);
    }

    function _keep(
        DealCore calldata core,
        Docket memory docket,
        bytes32 tag,
        Ruling memory ruling,
        uint256 phase,
        uint256 until
    ) internal {
        tag = keccak256(abi.encode(tag, ruling));
        MARKET.setCase(_terms(core, docket), CaseWord.pack(State.Drawn, phase, 0, 0, 0, until, tag));
    }

    /// @dev Decides: whose verdict counted is paid. Where too few agree all that answered are, each its part of
    /// the whole panel's fee.
    function _rule(DealCore calldata core, Docket memory docket, Panel memory panel, uint256 word, uint8 outcome)
        internal
    {
        uint256 needed = _needed(docket);
        Ruling memory ruling;
        ruling.outcome = outcome;
        ruling.paid = new address[](word.seats());
        uint256 agreed;
        for (uint256 seat; seat < word.seats(); ++seat) {
            if (_vote(word.votes(), seat) == outcome) ruling.paid[agreed++] = panel.mediators[seat];
        }
        if (agreed < needed) {
            agreed = 0;
            for (uint256 seat; seat < word.seats(); ++seat) {
                if (_vote(word.votes(), seat) != 0) ruling.paid[agreed++] = panel.mediators[seat];
            }
            ruling.each = uint64(docket.auditFee / (2 * needed - 1));
        } else {
            ruling.each = uint64(docket.auditFee / agreed);
        }
        address[] memory paid = ruling.paid;
        assembly ("memory-safe") {
            mstore(paid, agreed)
        }
        _decided(core, docket, ruling);
    }

    /// @dev Fills `drawn` with live mediators; returns how many there were.
    function _draw(
        address[] memory drawn,
        MediatorList calldata list,
        uint64 eligible,
        bytes32 seed,
        uint256 round,
        uint256 liveSince
    ) internal view returns (uint256 found) {
        for (uint256 number; found < drawn.length; ++number) {
            uint256 i = Draw.pick(list, eligible, Draw.next(seed, round, number));
            if (i == Draw.NOBODY) break;
            eligible &= ~(uint64(1) << uint64(i));
            if (_isLiveSince(list.mediators[i], liveSince)) drawn[found++] = list.mediators[i];
        }
    }

    function _requireUndisputed(State state) internal pure {
        if (state != State.Open && state != State.Submitted) revert NotDisputable();
    }

    function _requireSalt(bytes32 salt, bytes32 hash) internal pure {
        if (keccak256(abi.encode(salt)) != hash) revert BadSalt();
    }

    /// @dev The case of a panel that can still answer.
    function _sitting(DealCore calldata core, Docket memory docket, Panel memory panel)
        internal
        view
        returns (bytes32 id, uint256 word)
    {
        bytes32 tag;
        (id, tag, word) = _case(core, docket);
        if (word.state() != State.Drawn || word.phase() != CaseWord.SITTING) revert NotDisputable();
        if (!word.isFor(_panelTag(tag, panel.saltProvider, panel.mediators))) revert WrongCase(id);
    }

    /// @dev Bit i: mediator i is no party.
    function _strangers(DealCore calldata core, MediatorList calldata list) internal pure returns (uint64 bits) {
        for (uint256 i; i < list.mediators.length; ++i) {
            address m = list.mediators[i];
            if (m != core.creator && m != core.provider && m != core.feeTo) bits |= uint64(1) << uint64(i);
        }
    }

    /// @dev Verdicts that must agree; twice as many less one have a seat.
    function _needed(Docket memory docket) internal pure returns (uint256) {
        if (docket.verdicts == 0) return 1;
        return docket.verdicts < MAX_VERDICTS ? docket.verdicts : MAX_VERDICTS;
    }

    function _panelTag(bytes32 tag, bytes32 saltProvider, address[] memory drawn) internal pure returns (bytes32) {
        return keccak256(abi.encode(tag, saltProvider, drawn));
    }

    /// @dev Outcome of a seat's verdict; zero if there is none.
    function _vote(uint256 votes, uint256 seat) internal pure returns (uint256) {
        return votes >> 2 * seat & 3;
    }

    /// @dev The audit draw.
    function _auditor(DealCore calldata core, MediatorList calldata list, bytes32 saltCreator, bytes32 saltProvider)
        internal
        view
        returns (address)
    {
        // Bonds are left out of this draw: it happens off chain, and its sides must agree on it
        // without agreeing on a block.
        bytes32 seed = Draw.seed(saltCreator, saltProvider, _dealId(core));
        uint256 i = Draw.pick(list, _strangers(core, list), seed);
        return i == Draw.NOBODY ? address(0) : list.mediators[i];
    }
}
