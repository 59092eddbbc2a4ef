// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the Court tells and what it refuses
interface ICourtEvents {
    /// @notice The provider has until `revealBy` to reveal its salt.
    event Challenged(bytes32 indexed dealId, bytes32 manifest, uint8 kind, bytes32 saltCreator, uint256 revealBy);
    /// @notice `mediator` has until `verdictBy` to sign a verdict; zero if nobody was eligible. One for each seat.
    event MediatorDrawn(bytes32 indexed dealId, address indexed mediator, bytes32 saltProvider, uint256 verdictBy);
    /// @notice The mediator on `seat` gave no verdict in time; who is drawn next takes the seat.
    event MediatorReplaced(bytes32 indexed dealId, address indexed mediator, uint256 seat);
    /// @notice A verdict; `evidence` is the digest of the mediator's report.
    event VerdictGiven(bytes32 indexed dealId, address indexed mediator, uint8 outcome, bytes32 evidence);
    /// @notice The dispute is decided; until `appealBy` a party may appeal, and nothing is paid before.
    event Ruled(bytes32 indexed dealId, uint8 outcome, uint64 each, address[] paid, uint256 appealBy);
    /// @notice `appellant` staked the appeal's bond; the judge has until `judgeBy`.
    event Appealed(bytes32 indexed dealId, address indexed appellant, uint256 judgeBy);
    /// @notice The appeal has ended; `overturned` if the judge chose another outcome.
    event AppealEnded(bytes32 indexed dealId, uint8 outcome, bool overturned);
    /// @notice `mediator` signed two outcomes for one manifest and lost its bond, or was silent and lost part of it.
    event MediatorSlashed(bytes32 indexed dealId, address indexed mediator, uint64 amount);

    /// @notice The contracts of this deployment do not name each other.
    error BadDeployment();
    /// @notice The deal is not in a state from which this can be done.
    error NotDisputable();
    /// @notice Docket, panel or ruling are not those of the dispute.
    error WrongCase(bytes32 dealId);
    /// @notice The message names another deal.
    error WrongDeal(bytes32 dealId);
    /// @notice The message names another result.
    error WrongManifest(bytes32 manifest);
    /// @notice Kinds are 1 to 3.
    error BadKind(uint8 kind);
    /// @notice Outcomes are 1 to 3; an audited settlement needs 1.
    error BadOutcome(uint8 outcome);
    /// @notice There is no such seat, or its mediator gave its verdict.
    error BadSeat(uint8 seat);
    /// @notice The salt is not the preimage of the hash in the terms.
    error BadSalt();
    /// @notice The reserve does not cover the audit fee.
    error ReserveTooLow(uint64 reserve, uint64 needed);
    /// @notice The terms name no mediators, or the drawn auditor has no live bond.
    error NoMediator();
    /// @notice The two verdicts do not contradict each other.
    error NotEquivocation();
    /// @notice Creator and provider may appeal.
    error NotAParty(address account);
    /// @notice The caller is not the judge of appeals.
    error NotTheJudge();
    /// @notice Possible only after `deadline`.
    error TooEarly(uint256 deadline);
    /// @notice Was possible until `deadline`.
    error TooLate(uint256 deadline);
}
