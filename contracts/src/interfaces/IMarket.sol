// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVault} from "./IVault.sol";
import {
    DealCore,
    DealRest,
    Payout,
    ResultCommit,
    Signature,
    StartReceipt,
    State,
    Submission
} from "../libraries/DealTypes.sol";

/// @title Deals: opening, settlement, refunds and timeouts
/// @notice Every function may be sent by anyone; what counts is the signatures it carries.
/// EIP-712 domain: name "lilynode", version "1", chainId, verifyingContract = this contract.
/// State table, deadlines and money: protocol/deal.md.
interface IMarket {
    /// @notice Both sides' money is in escrow; `terms` is the EIP-712 digest of DealTerms.
    event DealOpened(
        bytes32 indexed dealId,
        address indexed creator,
        address indexed provider,
        address feeTo,
        uint64 price,
        uint64 fee,
        uint64 collateral,
        uint64 reserve,
        uint32 lane,
        bytes32 terms
    );
    /// @notice The provider put its result on chain; the judge window runs.
    event ResultSubmitted(bytes32 indexed dealId, bytes32 manifest, bytes32 outputRoot);
    /// @notice The creator accepted: price and collateral to the provider, fee to its payee.
    event DealSettled(bytes32 indexed dealId, bytes32 manifest);
    /// @notice A challenge added `extra` of the creator's free money to the escrow.
    event DealDisputed(bytes32 indexed dealId, uint64 extra);
    /// @notice Any end but a plain acceptance. The amounts and `toPool` add up to the escrow.
    event DealClosed(
        bytes32 indexed dealId,
        State indexed from,
        State indexed to,
        uint64 toProvider,
        uint64 toCreator,
        uint64 toFee,
        uint64 toMediator,
        uint64 toPool
    );
    /// @notice No attempt of this job can be opened any more.
    event JobNullified(address indexed creator, uint64 indexed jobNumber);

    /// @notice The caller is not the Court.
    error NotCourt();
    /// @notice The caller is not Batches.
    error NotBatches();
    /// @notice This lane is for batched deals.
    error BadLane(uint32 lane);
    /// @notice Creator and provider are one account.
    error SelfDeal();
    /// @notice Attempts are 0 to 7.
    error BadAttempt(uint8 attempt);
    /// @notice Collateral is below 2.5 times the price.
    error CollateralTooLow(uint64 collateral, uint64 price);
    /// @notice This dealId was opened before, or its job was nullified.
    error Nullified(bytes32 dealId);
    /// @notice The lane holds a live deal.
    error LaneBusy(address provider, uint32 lane);
    /// @notice The lane does not hold these terms.
    error UnknownDeal();
    /// @notice The deal is not in a state from which this can be done.
    error WrongState(State state);
    /// @notice The message names another deal.
    error WrongDeal(bytes32 dealId);
    /// @notice Possible only after `deadline`.
    error TooEarly(uint256 deadline);
    /// @notice Was possible until `deadline`.
    error TooLate(uint256 deadline);
    /// @notice The receipt's time is in the future, or after the terms' startBy.
    error BadStart(uint64 startedAt);

    /// @notice Opens a deal by both sides' signatures over DealTerms, until core.openBy.
    /// @param restHash EIP-712 struct hash of DealRest.
    function open(
        DealCore calldata core,
        bytes32 restHash,
        Signature calldata creatorSig,
        Signature calldata providerSig
    ) external;

    /// @notice Pays the provider by the creator's signature over Acceptance(dealId, manifest), from Open
    /// or Submitted (from Challenged: Court.settle).
    function settle(DealCore calldata core, bytes32 restHash, bytes32 manifest, Signature calldata creatorSig) external;

    /// @notice Puts the result on chain, until startedAt + submitSeconds; the way of a provider
    /// whose creator is silent.
    function submit(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorReceiptSig,
        Signature calldata providerReceiptSig,
        ResultCommit calldata result,
        Signature calldata providerSig
    ) external;

    /// @notice Pays the provider of an unchallenged submission after submittedAt + judgeSeconds.
    function finalize(DealCore calldata core, DealRest calldata rest) external;

    /// @notice Returns everything to both sides from Open after startBy + submitSeconds +
    /// judgeSeconds. The last term lets `timeoutSubmit` come first where there is a receipt.
    function refund(DealCore calldata core, DealRest calldata rest) external;

    /// @notice Slashes a provider that signed a start receipt and did not submit by
    /// startedAt + submitSeconds.
    function timeoutSubmit(
        DealCore calldata core,
        DealRest calldata rest,
        StartReceipt calldata receipt,
        Signature calldata creatorReceiptSig,
        Signature calldata providerReceiptSig
    ) external;

    /// @notice Cancels every attempt of a job that is not yet open, by the creator's signature over
    /// Nullify(jobNumber). Deals that are open go on.
    function nullify(address creator, uint64 jobNumber, Signature calldata creatorSig) external;

    /// @notice Court only: Open or Submitted -> Challenged with the case `word`, adding exactly `extra`
    /// of the creator's free money to the escrow.
    function dispute(DealCore calldata core, bytes32 restHash, uint64 extra, uint256 word) external;

    /// @notice Court only: writes the word of a case; its lowest byte is the deal's state.
    function setCase(bytes32 terms, uint256 word) external;

    /// @notice The word of a dispute by the terms' digest (libraries/CaseWord.sol), or of a claimed leaf.
    function caseOf(bytes32 terms) external view returns (uint256);

    /// @notice Court only: ends a live deal in the terminal state `to` with the escrow divided, `extra`
    /// being what its challenge added.
    function conclude(DealCore calldata core, bytes32 restHash, State to, uint64 extra, Payout calldata payout)
        external;

    /// @notice Batches only: sets nullifier bits. `owners`: creator in the lowest 160 bits of each word,
    /// index of its nullifier word in bits 168 to 231; `marks`: bits in that word.
    /// @return taken by owner, bits that were set before; empty if there are none.
    function mark(uint256[] calldata owners, uint256[] calldata marks) external returns (uint256[] memory taken);

    /// @notice Batches only: clears bits that `mark` set in this transaction.
    function unmark(uint256[] calldata owners, uint256[] calldata marks) external;

    /// @notice Batches only: None -> Open for a claimed leaf whose money is in the provider's
    /// escrow, by the digest of its terms.
    function openClaimed(DealCore calldata core, bytes32 terms) external;

    /// @notice The only holder of tokens.
    function VAULT() external view returns (IVault);

    /// @notice The contract of disputes.
    function COURT() external view returns (address);

    /// @notice The contract of batched deals.
    function BATCHES() external view returns (address);

    /// @notice When these terms were claimed from a batch; zero for any other deal, and once it is in dispute.
    function claimedAt(DealCore calldata core, bytes32 restHash) external view returns (uint64);

    /// @notice keccak256(abi.encode(chainid, market, creator, jobNumber, attempt)).
    function dealId(address creator, uint64 jobNumber, uint8 attempt) external view returns (bytes32);

    /// @notice EIP-712 digest of DealTerms, what both sides sign.
    function termsDigest(DealCore calldata core, DealRest calldata rest) external view returns (bytes32);

    /// @notice EIP-712 struct hash of DealRest.
    function restHash(DealRest calldata rest) external pure returns (bytes32);

    /// @notice EIP-712 digest of any struct hash under this contract's domain.
    function digest(bytes32 structHash) external view returns (bytes32);

    /// @notice What a lane holds: `tag` is the terms digest with its last byte cleared.
    function lane(address provider, uint32 number) external view returns (bytes32 tag, State state);

    /// @notice State of the deal with these terms; None if its lane holds another or none.
    function stateOf(DealCore calldata core, bytes32 restHash) external view returns (State);

    /// @notice The on-chain submission of a deal.
    function submission(bytes32 dealId) external view returns (Submission memory);

    /// @notice Whether this attempt was opened or its job nullified.
    function isNullified(address creator, uint64 jobNumber, uint8 attempt) external view returns (bool);
}
