// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourtAnnex} from "./ICourtAnnex.sol";
import {ICourtEvents} from "./ICourtEvents.sol";
import {IMediators} from "./IMediators.sol";
import {Opening} from "../libraries/BatchTypes.sol";
import {
    Answer,
    Complaint,
    DealCore,
    DealRest,
    Docket,
    MediatorList,
    Panel,
    Signature
} from "../libraries/DealTypes.sol";

/// @title Disputes
/// @notice Every function but register, retire and `judge` may be sent by anyone. All signatures are under the
/// Market's EIP-712 domain. State table, deadlines and money: protocol/deal.md.
interface ICourt is ICourtAnnex, ICourtEvents, IMediators {
    /// @notice Registers the caller as mediator; needs the minimum bond in the Vault.
    function register() external;

    /// @notice Takes the caller off the register.
    function retire() external;

    /// @notice Challenges a result the provider signed: from Open until startBy + submitSeconds +
    /// judgeSeconds, from Submitted until submittedAt + judgeSeconds and only over the submitted
    /// manifest. What `reserve` lacks for auditFee + claimFee is taken from the creator's free money.
    function challenge(DealCore calldata core, DealRest calldata rest, Complaint calldata complaint) external;

    /// @notice Claims a leaf of a batch and challenges it.
    function challengeLeaf(
        Opening calldata opening,
        DealCore calldata core,
        DealRest calldata rest,
        Signature calldata creatorSig,
        Signature calldata providerSig,
        Complaint calldata complaint
    ) external;

    /// @notice Pays the provider by the creator's signature over Acceptance(dealId, manifest) while no
    /// mediator is drawn.
    function settle(DealCore calldata core, Docket calldata docket, bytes32 manifest, Signature calldata creatorSig)
        external;

    /// @notice Reveals the provider's salt and draws the mediators, until the challenge + window.
    /// @return mediators those with a seat.
    function reveal(DealCore calldata core, Docket calldata docket, MediatorList calldata list, bytes32 saltProvider)
        external
        returns (address[] memory mediators);

    /// @notice `reveal` and `verdict` in one transaction, where the drawn mediators' verdicts are there already.
    function rule(
        DealCore calldata core,
        Docket calldata docket,
        MediatorList calldata list,
        bytes32 saltProvider,
        Answer[] calldata answers
    ) external;

    /// @notice Slashes a provider that did not reveal in time.
    function timeoutReveal(DealCore calldata core, Docket calldata docket) external;

    /// @notice Brings verdicts of mediators with a seat, until the draw + window. The dispute is decided when
    /// as many as the terms ask for agree, or all have answered.
    function verdict(DealCore calldata core, Docket calldata docket, Panel calldata panel, Answer[] calldata answers)
        external;

    /// @notice The nonce of the account's next Enlist.
    function enlistNonce(address account) external view returns (uint64);

    /// @notice Whether `mediator` is registered with at least the minimum bond.
    function isLive(address mediator) external view returns (bool);

    /// @notice Number of registered mediators.
    function mediatorCount() external view returns (uint256);

    /// @notice Registered mediators from index `start` to before `end`.
    function mediators(uint256 start, uint256 end) external view returns (address[] memory);

    /// @notice Seconds of each step: challengeSeconds, but never more than half the unbonding time, so that
    /// no drawn mediator's bond can leave meanwhile.
    function windowOf(DealRest calldata rest) external view returns (uint64);

    /// @notice Seconds for an appeal against a verdict under these terms; zero: it is paid at once.
    function appealWindowOf(DealCore calldata core, DealRest calldata rest) external view returns (uint256);

    /// @notice The audit draw: over every mediator of the list that is no party of the deal.
    function drawAudit(DealCore calldata core, MediatorList calldata list, bytes32 saltCreator, bytes32 saltProvider)
        external
        view
        returns (address);
}
