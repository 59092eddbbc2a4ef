// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {CourtAnnex} from "./CourtAnnex.sol";
import {CourtBase} from "./CourtBase.sol";
import {IBatches} from "./interfaces/IBatches.sol";
import {ICourt} from "./interfaces/ICourt.sol";
import {ICourtAnnex} from "./interfaces/ICourtAnnex.sol";
import {IMediators} from "./interfaces/IMediators.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Opening} from "./libraries/BatchTypes.sol";
import {CaseWord} from "./libraries/CaseWord.sol";
import {DealHash} from "./libraries/DealHash.sol";
import {Division} from "./libraries/Division.sol";
import {Draw} from "./libraries/Draw.sol";
import {
    Answer,
    Complaint,
    DealCore,
    DealRest,
    Docket,
    MediatorList,
    Panel,
    Ruling,
    Signature,
    State,
    Submission,
    Verdict
} from "./libraries/DealTypes.sol";

/// @title The draw of mediators, their verdicts, and the end of disputed deals
/// @dev A dispute is one word of the Market; money is in the Vault. This contract decides and orders. What
/// happens rarely is in CourtAnnex, whose code runs here.
contract Court is ICourt, CourtBase {
    using CaseWord for uint256;
    using EnumerableSet for EnumerableSet.AddressSet;

    IBatches public immutable BATCHES;
    /// @notice The code of the rare half.
    address public immutable ANNEX;

    /// @param appealJudge decides appeals; zero: verdicts are final.
    constructor(IVault vault, IMarket market, uint64 minBond, address appealJudge)
        CourtBase(vault, market, minBond, appealJudge)
    {
        if (
            vault.MARKET() != address(market) || vault.COURT() != address(this) || market.COURT() != address(this)
                || address(market.VAULT()) != address(vault)
        ) revert BadDeployment();
        BATCHES = IBatches(market.BATCHES());
        ANNEX = address(new CourtAnnex(vault, market, minBond, appealJudge));
    }

    /// @inheritdoc ICourt
    function register() external {
        _enlist(msg.sender, true);
    }

    /// @inheritdoc ICourt
    function retire() external {
        _enlist(msg.sender, false);
    }

    /// @inheritdoc ICourt
    function challenge(DealCore calldata core, DealRest calldata rest, Complaint calldata complaint) external {
        _challenge(core, rest, DealHash.rest(rest), complaint);
    }

    /// @inheritdoc ICourt
    function challengeLeaf(
        Opening calldata opening,
        DealCore calldata core,
        DealRest calldata rest,
        Signature calldata creatorSig,
        Signature calldata providerSig,
        Complaint calldata complaint
    ) external {
        bytes32 restHash = DealHash.rest(rest);
        BATCHES.claim(opening, core, restHash, creatorSig, providerSig);
        _challenge(core, rest, restHash, complaint);
    }

    /// @inheritdoc ICourt
    function settle(DealCore calldata core, Docket memory docket, bytes32 manifest, Signature calldata creatorSig)
        external
    {
        (bytes32 id, bytes32 tag, uint256 word) = _case(core, docket);
        if (word.state() != State.Challenged) revert NotDisputable();
        if (!word.isFor(tag)) revert WrongCase(id);
        _requireSignedBy(core.creator, _digest(DealHash.acceptance(id, manifest)), creatorSig);
        _conclude(core, docket, State.Settled, Division.settled(core, docket));
    }

    /// @inheritdoc ICourt
    function reveal(DealCore calldata core, Docket memory docket, MediatorList calldata list, bytes32 saltProvider)
        external
        returns (address[] memory drawn)
    {
        uint256 word;
        (, word, drawn) = _reveal(core, docket, list, saltProvider);
        MARKET.setCase(_terms(core, docket), word);
    }

    /// @inheritdoc ICourt
    function rule(
        DealCore calldata core,
        Docket memory docket,
        MediatorList calldata list,
        bytes32 saltProvider,
        Answer[] calldata answers
    ) external {
        (bytes32 id, uint256 word, address[] memory drawn) = _reveal(core, docket, list, saltProvider);
        _bring(core, docket, Panel(saltProvider, drawn), answers, id, word);
    }

    /// @inheritdoc ICourt
    function timeoutReveal(DealCore calldata core, Docket memory docket) external {
        (bytes32 id, bytes32 tag, uint256 word) = _case(core, docket);
        if (word.state() != State.Challenged) revert NotDisputable();
        if (!word.isFor(tag)) revert WrongCase(id);
        if (block.timestamp <= word.until()) revert TooEarly(word.until());
        _conclude(core, docket, State.TimedOut, Division.refused(core, docket));
    }

    /// @inheritdoc ICourt
    function verdict(DealCore calldata core, Docket memory docket, Panel memory panel, Answer[] calldata answers)
        external
    {
        (bytes32 id, uint256 word) = _sitting(core, docket, panel);
        if (block.timestamp > word.until()) revert TooLate(word.until());
        _bring(core, docket, panel, answers, id, word);
    }

    // ---- the rare half ----

    /// @inheritdoc ICourtAnnex
    function enlist(address, bool, uint64, bytes calldata) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function strike(address) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function appeal(DealCore calldata, Docket calldata, Ruling calldata, address, Signature calldata) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function judge(DealCore calldata, Docket calldata, Ruling calldata, uint8) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function conclude(DealCore calldata, Docket calldata, Ruling calldata) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function slashEquivocation(address, Verdict calldata, Signature calldata, Verdict calldata, Signature calldata) external {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function timeoutVerdict(DealCore calldata, Docket calldata, Panel calldata, MediatorList calldata)
        external
        returns (address[] memory)
    {
        _annexed();
    }

    /// @inheritdoc ICourtAnnex
    function settleAudited(
        DealCore calldata,
        DealRest calldata,
        MediatorList calldata,
        bytes32,
        bytes32,
        Verdict calldata,
        Signature calldata,
        Signature calldata
    ) external {
        _annexed();
    }

    // ---- looking ----

    /// @inheritdoc ICourt
    function enlistNonce(address account) external view returns (uint64) {
        return uint64(_entries[account] >> 64);
    }

    /// @inheritdoc ICourt
    function isLive(address mediator) public view returns (bool) {
        return _isLiveSince(mediator, block.timestamp);
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
    function windowOf(DealRest calldata rest) external view returns (uint64) {
        return _window(rest);
    }

    /// @inheritdoc ICourt
    function appealWindowOf(DealCore calldata core, DealRest calldata rest) external view returns (uint256) {
        return _appealWindow(core, rest.appealSeconds, rest.verdicts, _window(rest));
    }

    /// @inheritdoc ICourt
    function drawAudit(DealCore calldata core, MediatorList calldata list, bytes32 saltCreator, bytes32 saltProvider)
        external
        view
        returns (address)
    {
        return _auditor(core, list, saltCreator, saltProvider);
    }

    function _challenge(DealCore calldata core, DealRest calldata rest, bytes32 restHash, Complaint calldata c) private {
        bytes32 id = _dealId(core);
        _requireInTime(core, rest, restHash, id, c.manifest);
        if (rest.mediatorRoot == 0) revert NoMediator();
        if (c.kind == 0 || c.kind > 3) revert BadKind(c.kind);
        _requireSalt(c.saltCreator, rest.creatorSaltHash);
        bytes32 hash = DealHash.result(id, c.manifest, c.outputRoot);
        _requireSignedBy(core.provider, _digest(hash), c.providerSig);
        hash = DealHash.challenge(id, c.manifest, c.kind);
        _requireSignedBy(core.creator, _digest(hash), c.creatorSig);
        Docket memory docket = _docket(rest, restHash, c.manifest, c.saltCreator);
        uint256 until = block.timestamp + docket.window;
        emit Challenged(id, c.manifest, c.kind, c.saltCreator, until);
        bytes32 tag = keccak256(abi.encode(_digest(DealHash.terms(core, restHash)), docket));
        uint64 costs = rest.auditFee + rest.claimFee;
        MARKET.dispute(
            core,
            restHash,
            costs > core.reserve ? costs - core.reserve : 0,
            CaseWord.pack(State.Challenged, CaseWord.SITTING, 0, 0, 0, until, tag)
        );
    }

    /// @dev Checks the salt and draws; the case's word with the panel in it is for the caller to keep.
    function _reveal(DealCore calldata core, Docket memory docket, MediatorList calldata list, bytes32 saltProvider)
        private
        returns (bytes32 id, uint256 word, address[] memory drawn)
    {
        bytes32 tag;
        (id, tag, word) = _case(core, docket);
        if (word.state() != State.Challenged) revert NotDisputable();
        if (!word.isFor(tag)) revert WrongCase(id);
        if (block.timestamp > word.until()) revert TooLate(word.until());
        Draw.check(list, docket.mediatorRoot);
        _requireSalt(saltProvider, docket.providerSaltHash);
        drawn = new address[](2 * _needed(docket) - 1);
        // Only who was live when the challenge came: its creator did not know the seed then.
        uint256 since = word.until() - docket.window;
        bytes32 seed = Draw.seed(docket.saltCreator, saltProvider, id);
        uint256 seats = _draw(drawn, list, _strangers(core, list), seed, 0, since);
        assembly ("memory-safe") {
            mstore(drawn, seats)
        }
        uint256 until = block.timestamp + docket.window;
        for (uint256 i; i < seats; ++i) {
            emit MediatorDrawn(id, drawn[i], saltProvider, until);
        }
        if (seats == 0) emit MediatorDrawn(id, address(0), saltProvider, until);
        tag = _panelTag(tag, saltProvider, drawn);
        word = CaseWord.pack(State.Drawn, CaseWord.SITTING, 0, seats, 0, until, tag);
    }

    /// @dev Takes verdicts; ends the dispute or keeps them.
    function _bring(
        DealCore calldata core,
        Docket memory docket,
        Panel memory panel,
        Answer[] calldata answers,
        bytes32 id,
        uint256 word
    ) private {
        uint256 votes = word.votes();
        for (uint256 i; i < answers.length; ++i) {
            Answer calldata a = answers[i];
            if (a.seat >= word.seats() || _vote(votes, a.seat) != 0) revert BadSeat(a.seat);
            if (a.outcome == 0 || a.outcome > Division.INCONCLUSIVE) revert BadOutcome(a.outcome);
            address mediator = panel.mediators[a.seat];
            bytes32 hash = DealHash.verdict(id, docket.manifest, a.outcome, a.evidence);
            _requireSignedBy(mediator, _digest(hash), a.signature);
            votes |= uint256(a.outcome) << 2 * a.seat;
            emit VerdictGiven(id, mediator, a.outcome, a.evidence);
        }
        word = word.withVotes(votes);
        if (!_decide(core, docket, panel, word)) MARKET.setCase(_terms(core, docket), word);
    }

    /// @dev Ends the dispute if enough verdicts agree or none is missing.
    function _decide(DealCore calldata core, Docket memory docket, Panel memory panel, uint256 word)
        private
        returns (bool)
    {
        uint256[4] memory count;
        for (uint256 seat; seat < word.seats(); ++seat) {
            ++count[_vote(word.votes(), seat)];
        }
        for (uint8 outcome = Division.CORRECT; outcome <= Division.INCONCLUSIVE; ++outcome) {
            if (count[outcome] < _needed(docket)) continue;
            _rule(core, docket, panel, word, outcome);
            return true;
        }
        if (count[0] != 0) return false;
        _rule(core, docket, panel, word, Division.INCONCLUSIVE);
        return true;
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
        _requireUndisputed(state);
        uint256 deadline;
        if (state == State.Submitted) {
            Submission memory s = MARKET.submission(id);
            if (s.manifest != manifest) revert WrongManifest(manifest);
            deadline = uint256(s.submittedAt) + rest.judgeSeconds;
        } else {
            deadline = uint256(rest.startBy) + rest.submitSeconds + rest.judgeSeconds;
        }
        if (block.timestamp > deadline) revert TooLate(deadline);
    }

    function _docket(DealRest calldata rest, bytes32 restHash, bytes32 manifest, bytes32 saltCreator)
        private
        view
        returns (Docket memory)
    {
        return Docket({
            restHash: restHash,
            mediatorRoot: rest.mediatorRoot,
            providerSaltHash: rest.providerSaltHash,
            manifest: manifest,
            saltCreator: saltCreator,
            claimFee: rest.claimFee,
            auditFee: rest.auditFee,
            window: uint32(_window(rest)),
            appealSeconds: rest.appealSeconds,
            verdicts: rest.verdicts
        });
    }

    /// @dev Runs the Annex's function of the same signature here, and answers with what it answers.
    function _annexed() private {
        address annex = ANNEX;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let done := delegatecall(gas(), annex, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if done { return(free, returndatasize()) }
            revert(free, returndatasize())
        }
    }
}
