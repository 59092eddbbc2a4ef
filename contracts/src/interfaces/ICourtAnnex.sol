// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    DealCore,
    DealRest,
    Docket,
    MediatorList,
    Panel,
    Ruling,
    Signature,
    Verdict
} from "../libraries/DealTypes.sol";

/// @title What happens rarely in the Court
/// @notice Every function but `judge` may be sent by anyone.
interface ICourtAnnex {
    /// @notice Both of them for `account`, by its signature over
    /// Enlist(address account,bool listed,uint64 nonce): 65 bytes, or what its ERC-1271 contract takes.
    function enlist(address account, bool listed, uint64 nonce, bytes calldata signature) external;

    /// @notice Takes a mediator off the register whose bond is below the minimum; anyone may.
    function strike(address account) external;

    /// @notice When time is over: slashes the silent mediators and draws others, twice at most; then, or where
    /// none are left, both sides are refunded.
    /// @return mediators the new panel's; empty if the dispute has ended.
    function timeoutVerdict(
        DealCore calldata core,
        Docket calldata docket,
        Panel calldata panel,
        MediatorList calldata list
    ) external returns (address[] memory mediators);

    /// @notice Appeals a ruling: stakes MIN_BOND of the appellant's free money, by its signature over
    /// Appeal(bytes32 dealId).
    function appeal(
        DealCore calldata core,
        Docket calldata docket,
        Ruling calldata ruling,
        address appellant,
        Signature calldata signature
    ) external;

    /// @notice The judge decides an appeal.
    function judge(DealCore calldata core, Docket calldata docket, Ruling calldata ruling, uint8 outcome) external;

    /// @notice Pays a ruling that nobody appealed, or whose appeal the judge did not answer.
    function conclude(DealCore calldata core, Docket calldata docket, Ruling calldata ruling) external;

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
}
