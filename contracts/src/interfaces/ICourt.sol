// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Challenge,
    DealCore,
    DealRest,
    MediatorList,
    ResultCommit,
    Signature,
    Verdict
} from "../libraries/DealTypes.sol";

/// @notice One dispute, by dealId.
struct Dispute {
    uint64 challengedAt;
    uint64 drawnAt;
    uint64 eligible; // bit i: mediator i of the list was live, and no party, when challenged
    uint8 kind;
    address mediator; // drawn; zero before the reveal, or if nobody was eligible
    bytes32 saltCreator;
    bytes32 manifest;
}

/// @title Mediators and disputes
/// @notice Every function but register and retire may be sent by anyone. All signatures are under
/// the Market's EIP-712 domain. State table, deadlines and money: protocol/deal.md.
interface ICourt {
    /// @notice `mediator` offers itself for lists.
    event MediatorRegistered(address indexed mediator);
    /// @notice `mediator` is not to be drawn any more.
    event MediatorRetired(address indexed mediator);
    /// @notice The provider has until `revealBy` to reveal its salt.
    event Challenged(bytes32 indexed dealId, bytes32 manifest, uint8 kind, bytes32 saltCreator, uint256 revealBy);
    /// @notice `mediator` has until `verdictBy` to sign a verdict; zero if nobody was eligible.
    event MediatorDrawn(bytes32 indexed dealId, address indexed mediator, bytes32 saltProvider, uint256 verdictBy);
    /// @notice The verdict that ended the deal; `evidence` is the digest of the mediator's report.
    event VerdictGiven(bytes32 indexed dealId, address indexed mediator, uint8 outcome, bytes32 evidence);
    /// @notice `mediator` signed two outcomes for one manifest and lost its bond.
    event MediatorSlashed(bytes32 indexed dealId, address indexed mediator, uint64 amount);

    /// @notice The contracts of this deployment do not name each other.
    error BadDeployment();
    /// @notice The account's bond is below the minimum.
    error BondTooLow(uint64 bond, uint64 minimum);
    /// @notice The account is registered already, or is not registered.
    error BadRegistration();
    /// @notice The deal is not in a state from which this can be done.
    error NotDisputable();
    /// @notice The message names another deal.
    error WrongDeal(bytes32 dealId);
    /// @notice The message names another result.
    error WrongManifest(bytes32 manifest);
    /// @notice Kinds are 1 to 3.
    error BadKind(uint8 kind);
    /// @notice Outcomes are 1 to 3; an audited settlement needs 1.
    error BadOutcome(uint8 outcome);
    /// @notice The salt is not the preimage of the hash in the terms.
    error BadSalt();
    /// @notice The reserve does not cover the audit fee.
    error ReserveTooLow(uint64 reserve, uint64 needed);
    /// @notice Nobody in the list is eligible, or the drawn mediator has no live bond.
    error NoMediator();
    /// @notice The two verdicts do not contradict each other.
    error NotEquivocation();
    /// @notice Possible only after `deadline`.
    error TooEarly(uint256 deadline);
    /// @notice Was possible until `deadline`.
    error TooLate(uint256 deadline);

    /// @notice Registers the caller as mediator; needs the minimum bond in the Vault.
    function register() external;

    /// @notice Takes the caller off the register.
    function retire() external;

    /// @notice Challenges a result the provider signed: from Open until startBy + submitSeconds +
    /// judgeSeconds, from Submitted until submittedAt + judgeSeconds and only over the submitted
    /// manifest. What `reserve` lacks for auditFee + claimFee is taken from the creator's free money.
    function challenge(
        DealCore calldata core,
        DealRest calldata rest,
        MediatorList calldata list,
        ResultCommit calldata result,
        Signature calldata providerSig,
        Challenge calldata challenge_,
        Signature calldata creatorSig,
        bytes32 saltCreator
    ) external;

    /// @notice Reveals the provider's salt and draws the mediator, until challengedAt + window.
    function reveal(DealCore calldata core, DealRest calldata rest, MediatorList calldata list, bytes32 saltProvider)
        external;

    /// @notice Slashes a provider that did not reveal in time.
    function timeoutReveal(DealCore calldata core, DealRest calldata rest) external;

    /// @notice Ends the dispute by the drawn mediator's signed verdict, until drawnAt + window.
    function verdict(
        DealCore calldata core,
        DealRest calldata rest,
        Verdict calldata verdict_,
        Signature calldata mediatorSig
    ) external;

    /// @notice Refunds both sides when no verdict came in time.
    function timeoutVerdict(DealCore calldata core, DealRest calldata rest) external;

    /// @notice Settles by acceptance and pays the drawn auditor from the reserve for its verdict 1.
    /// The draw goes over the whole list but the parties; the auditor drawn needs a live bond.
    function settleAudited(
        DealCore calldata core,
        DealRest calldata rest,
        MediatorList calldata list,
        bytes32 saltCreator,
        bytes32 saltProvider,
        Verdict calldata verdict_,
        Signature calldata mediatorSig,
        Signature calldata creatorSig
    ) external;

    /// @notice Sends the whole bond of a mediator that signed two outcomes for one manifest to the pool.
    function slashEquivocation(
        address mediator,
        Verdict calldata one,
        Signature calldata oneSig,
        Verdict calldata other,
        Signature calldata otherSig
    ) external;

    /// @notice The dispute of a deal; all zero if there was none.
    function disputeOf(bytes32 dealId) external view returns (Dispute memory);

    /// @notice Seconds for the reveal, and again for the verdict: challengeSeconds, but never more
    /// than half the unbonding time, so that no drawn mediator's bond can leave meanwhile.
    function windowOf(DealRest calldata rest) external view returns (uint64);

    /// @notice Whether `mediator` is registered with at least the minimum bond.
    function isLive(address mediator) external view returns (bool);

    /// @notice Number of registered mediators.
    function mediatorCount() external view returns (uint256);

    /// @notice Registered mediators from index `start` to before `end`.
    function mediators(uint256 start, uint256 end) external view returns (address[] memory);

    /// @notice The audit draw: over every mediator of the list that is no party of the deal.
    function drawAudit(DealCore calldata core, MediatorList calldata list, bytes32 saltCreator, bytes32 saltProvider)
        external
        view
        returns (address);
}
